"""What a person should know of made rows: why there are no more, and what they change in training."""

from workbench.data.augment.making import Augmented
from workbench.project.schema import Project


def remarks(settings: Project, made: Augmented) -> list[str]:
    """One line each; hints on settings begin with `hint:`."""
    found = []
    if made.missing:
        found.append(
            f"only {len(made.rows):,} rows can be made, {made.missing:,} fewer than the target of "
            f"{made.target:,} asks for; add keywords or paraphrases"
        )
    elif made.target and made.target <= made.originals:
        found.append(f"there are {made.originals:,} training rows already; the target is {made.target:,}")
    elif not made.rows:
        found.append(
            "nothing can be made; [augmentation] in project.toml says what may be: break_conversations, "
            "keywords, paraphrases"
        )
    found += [f"originals without a made row: {count:,}, {reason}" for reason, count in made.unused.items()]
    found += [f"variants left out: {count:,}, {reason}" for reason, count in made.left_out.items()]
    if made.rows and settings.data.near_duplicates == "drop":
        found.append(
            'hint: data.near_duplicates = "drop" takes a made row that is much like its original '
            "for the same, and leaves it out again"
        )
    broken = any(kind.startswith("break") for kind in made.kinds)
    if broken and settings.data.train_on != "last":
        found.append(
            f'hint: with data.train_on = "{settings.data.train_on}" a broken conversation teaches '
            'its first replies again in every row; with "last" each row teaches its own reply once'
        )
    return found
