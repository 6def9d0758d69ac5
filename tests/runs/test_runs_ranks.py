"""The reason of a run with several processes is the first cause, not what followed from it."""

from workbench.runs.folder import Run
from workbench.runs.ranks import Word, forget_words, leave_word, read_words, verdict

LOST = "RuntimeError: Connection closed by peer"


def test_a_killed_rank_is_the_cause_though_it_is_told_last(run: Run) -> None:
    leave_word(run, Word(0, "failed", LOST, time=1.0))
    leave_word(run, Word(1, "failed", "process 7 was ended by SIGKILL", killed=True, time=2.0))
    found = verdict(read_words(run, range(2)))
    assert (found.state, found.reason) == ("failed", "rank 1: process 7 was ended by SIGKILL")


def test_of_several_failures_the_first_is_the_cause(run: Run) -> None:
    for rank, reason, time in ((0, LOST, 2.0), (1, "the loss is not a number", 1.0), (2, LOST, 3.0)):
        leave_word(run, Word(rank, "failed", reason, time=time))
    assert verdict(read_words(run, range(3))).reason == "rank 1: the loss is not a number"


def test_what_all_say_is_no_single_ranks_failure(run: Run) -> None:
    for rank in range(2):
        leave_word(run, Word(rank, "failed", "the loss of step 3 is not a finite number"))
    assert verdict(read_words(run, range(2))).reason == "the loss of step 3 is not a finite number"


def test_an_orderly_end_is_what_rank_0_says(run: Run) -> None:
    leave_word(run, Word(0, "stopped", "asked to stop at once"))
    leave_word(run, Word(1, "failed", LOST))
    assert verdict(read_words(run, range(2))).state == "stopped"


def test_a_rank_keeps_its_first_word_and_an_attempt_forgets_them(run: Run) -> None:
    leave_word(run, Word(0, "failed", "its own"))
    leave_word(run, Word(0, "failed", "of the watcher", killed=True))
    (run.folder / "ranks" / "1.json").write_text('{"half": ')
    assert [word.reason for word in read_words(run, range(3))] == ["its own"]
    forget_words(run)
    assert read_words(run, range(3)) == []
    assert "without a word" in verdict([]).reason
