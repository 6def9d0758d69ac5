"""The one registry of what can be done: it feeds keys, key bar, palette and help."""

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Action:
    """Something a key does.

    Attributes:
        place: the pane where it works, `pane.view` for one of its views, `form` for the forms in some of
            them, `app` for everywhere.
        name: the handler is `do_<name>` of that pane, form, or app.
        keys: Textual key names, the first one is shown.
        label: one or two words for the key bar.
        help: one sentence for help and palette.
        bar: shown in the key bar, in this order.
    """

    place: str
    name: str
    keys: str
    label: str
    help: str
    bar: bool = True

    @property
    def key(self) -> str:
        """The key as it is shown."""
        first = self.keys.split(",")[0]
        return _SIGNS.get(first, first).replace("ctrl+", "^")


_SIGNS = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "plus": "+",
    "minus": "-",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "equals_sign": "=",
    "left": "←",
    "right": "→",
}


ACTIONS: tuple[Action, ...] = (
    Action(
        "app",
        "show_data",
        "1",
        "Data",
        "Rows of the sources, and which are not trained on",
        bar=False,
    ),
    Action("app", "show_prompt", "2", "Prompt", "One example as text, tokens and loss mask", bar=False),
    Action("app", "show_setup", "3", "Setup", "The form: every setting of the project", bar=False),
    Action("app", "show_train", "4", "Train", "Runs, live curves, log", bar=False),
    Action(
        "app", "show_evaluate", "5", "Evaluate", "Was it worth it: models held against each other", bar=False
    ),
    Action("app", "show_chat", "6", "Chat", "Talk to the base model or to a checkpoint", bar=False),
    Action("app", "switch_project", "p", "Project", "Open another project of this folder", bar=False),
    Action("app", "choose_profile", "P", "Profile", "Lay a profile of project.toml over the rest", bar=False),
    Action("app", "reload", "f5", "Reload", "Read project.toml and the data files again", bar=False),
    Action("app", "tour", "T", "Tour", "A walk through the panes, a card each; esc leaves it", bar=False),
    Action("app", "theme", "ctrl+t", "Theme", "Dark or light, remembered", bar=False),
    Action("app", "help", "question_mark,f1", "help", "The keys that work here"),
    Action("app", "quit", "q,ctrl+q", "quit", "Leave; runs go on", bar=False),
    Action("welcome", "open", "enter", "Open", "Copy the chosen project into your folder and open the copy"),
    Action("welcome", "new", "n", "Your data", "Make a project of a data file, whatever its shape"),
    Action("welcome", "back", "escape", "Back", "The project that was open before"),
    Action("data.rows", "open_prompt", "enter", "Preview", "See the selected row as it trains"),
    Action("data.rows", "next_rejected", "n", "Rejected", "Go to the next row that is rejected"),
    Action(
        "data.rows",
        "previous_rejected",
        "N",
        "Previous",
        "Go to the previous row that is rejected",
        bar=False,
    ),
    Action("data.rows", "filter", "f", "Filter", "Show only rows of one reason, side or tag"),
    Action("data.rows", "show_all", "escape", "All", "Show all rows again"),
    Action("data.rows", "jump", "colon", "Row", "Type a row number", bar=False),
    Action("data.rows", "next_source", "right", "Source", "Show the rows of the next source"),
    Action("data.rows", "previous_source", "left", "Before", "The source before this one", bar=False),
    Action("data.rows", "toggle_raw", "v", "Raw", "Show the row as it stands in the file, or as turns"),
    Action("data.rows", "copy", "y", "Copy", "Copy the row's text"),
    Action("data.sources", "open_rows", "enter", "Rows", "Show the rows of the source or of the reason"),
    Action("data.cleaning", "next_touched", "n", "Next", "Go to the next row that the rule touches"),
    Action(
        "data.cleaning",
        "previous_touched",
        "N",
        "Previous",
        "Go to the previous row that the rule touches",
        bar=False,
    ),
    Action("data.cleaning", "add_rule", "enter", "Add rule", "Write the offered rule to project.toml"),
    Action("data.cleaning", "remove_rule", "x", "Remove rule", "Take the rule out of project.toml"),
    Action("data.cleaning", "next_source", "right", "Source", "The rules of the next source"),
    Action("data.cleaning", "previous_source", "left", "Before", "The rules of the source before", bar=False),
    Action("data.augment", "write", "w", "Write", "Write the made rows to data/augmented.jsonl, a source"),
    Action("data.augment", "change_settings", "e", "Settings", "Target, keywords, paraphrases, breaks"),
    Action("data.augment", "make", "m", "Make", "Make the rows again; nothing is written"),
    Action("data.augment", "open_original", "enter", "Original", "Show the row that this one is made from"),
    Action("data.augment", "show_remarks", "o", "Remarks", "Why there are no more rows, what they change"),
    Action("data.augment", "stop", "escape", "Stop", "Make no more rows", bar=False),
    Action("data.statistics", "next_side", "right", "Side", "Training, validation, test rows"),
    Action("data.statistics", "previous_side", "left", "Before", "The side before this one", bar=False),
    Action("data.statistics", "open_row", "enter", "Preview", "See the long row as it trains"),
    Action("data.checks", "open_rows", "enter", "Rows", "Show the rows that the finding speaks of"),
    Action("data.checks", "accept", "x", "Accept", "Let a run start in spite of a red finding, or no longer"),
    Action("data.balance", "open_rows", "enter", "Rows", "Show the rows with this tag"),
    Action("data", "add_source", "a", "Add", "Add a file as a source; its kind is told from its rows"),
    Action("data", "other_part", "tab", "Part", "The next part of this view", bar=False),
    Action("data", "show_rows", "r", "Rows", "View: the rows, and what becomes of each", bar=False),
    Action("data", "show_sources", "s", "Sources", "View: what became of each source's rows", bar=False),
    Action("data", "show_cleaning", "c", "Cleaning", "View: cleaning rules and what they change", bar=False),
    Action("data", "show_augment", "u", "Augment", "View: rows made from rows, and writing them", bar=False),
    Action("data", "show_balance", "b", "Balance", "View: how often each tag occurs on each side", bar=False),
    Action("data", "show_statistics", "t", "Statistics", "View: lengths in tokens, padding", bar=False),
    Action("data", "show_checks", "h", "Checks", "View: what would go wrong in a run", bar=False),
    Action("data", "next_view", "right_square_bracket", "Next view", "The view after this one", bar=False),
    Action(
        "data", "previous_view", "left_square_bracket", "View before", "The view before this one", bar=False
    ),
    Action("prompt.variants", "next_column", "tab", "Column", "Keys go to the next column"),
    Action("prompt.variants", "add", "a", "Add", "Put one more template beside these"),
    Action("prompt.variants", "remove", "d", "Away", "Take the chosen template away from here"),
    Action("prompt.variants", "use", "u", "Use", "Make the chosen one the project's template, saved"),
    Action("prompt", "previous_row", "left,h", "Previous", "The row before this one"),
    Action("prompt", "next_row", "right,l", "Next", "The row after this one"),
    Action("prompt", "mode", "m", "View", "Show text, tokens, tokens with their ids, or every blank"),
    Action("prompt", "variants", "v", "Compare", "Show the row as several templates write it, or as one"),
    Action("prompt", "few_shot", "f", "Few-shot", "Put examples before the question, or take them away"),
    Action("prompt", "next_warning", "n", "Warning", "Go to the next row with a warning of its own"),
    Action("prompt", "previous_warning", "N", "Previous", "Go to the previous row with a warning", bar=False),
    Action("prompt", "template", "t", "Template", "Choose the chat template, saved to project.toml"),
    Action("prompt", "goto", "g", "Go to", "Type a row number"),
    Action("prompt", "raw", "r", "Messages", "Show the messages that the template gets, or its text"),
    Action("prompt", "next_source", "s", "Source", "Go to the rows of the next source"),
    Action("prompt", "copy", "y", "Copy", "Copy the rendered text, or the messages"),
    Action("prompt", "special_tokens", "x", "Tokens", "What the added special tokens change", bar=False),
    Action("setup", "save", "s", "Save", "Write the changes to project.toml; comments stay"),
    Action("setup", "revert", "R", "Revert", "Forget all unsaved changes", bar=False),
    Action("form", "edit", "enter", "Edit", "Type a value; a choice or a switch turns"),
    Action("form", "previous_choice", "left", "Previous", "The choice before this one", bar=False),
    Action("form", "next_choice", "right,space", "Next", "The choice after this one", bar=False),
    Action("form", "undo", "u", "Undo", "Take the last change back"),
    Action("form", "default", "d,ctrl+r", "Default", "The selected setting back to its default"),
    Action("train", "start", "t", "Train", "Start a run in the background"),
    Action("train", "stop", "s", "Stop", "Finish the step, write a checkpoint, end"),
    Action("train", "stop_now", "S", "Stop now", "End the run at once, without a checkpoint", bar=False),
    Action("train", "checkpoint", "c", "Checkpoint", "Write a checkpoint now and go on"),
    Action("train", "pause", "z", "Pause", "Let the run wait between two steps, or go on"),
    Action("train", "refit", "f", "Fit", "Start a run that ran out of memory anew, with less", bar=False),
    Action("train", "resume", "r", "Resume", "Go on from the last complete checkpoint"),
    Action(
        "train", "metric", "m", "Metric", "Next curve: loss, accuracy, learning rate, gradient norm, speed"
    ),
    Action("train", "smooth", "h", "Smooth", "Mean of the last points; the points stay, dim", bar=False),
    Action("train", "axis", "x", "Axis", "Curves over steps, epochs, tokens or minutes", bar=False),
    Action("train", "log_axis", "y", "Log axis", "Logarithmic or linear loss axis", bar=False),
    Action("train", "zoom_in", "plus", "Zoom in", "Half as much of the curves in view", bar=False),
    Action("train", "zoom_out", "minus", "Zoom out", "Twice as much of the curves in view", bar=False),
    Action("train", "pan_left", "left", "Back", "Look at earlier steps", bar=False),
    Action("train", "pan_right", "right", "Forward", "Look at later steps", bar=False),
    Action("train", "whole", "0", "Whole", "The whole run in view again", bar=False),
    Action("train", "console", "o", "Log", "The run's own output, or its curve"),
    Action("train", "validate", "e", "Validate", "Score the validation rows now", bar=False),
    Action("train", "sample", "a", "Sample", "Let the run answer three held-out prompts now", bar=False),
    Action("train", "samples", "w", "Samples", "View: what the run answered, or its curve", bar=False),
    Action("train", "log_every", "l", "Log every", "Change the distance of the curve's points", bar=False),
    Action("train", "verdict", "v", "Verdict", "All that the curves show, with the rules", bar=False),
    Action("train", "describe", "d", "Describe", "Count, mean, std, quartiles of every metric", bar=False),
    Action("train", "note", "n", "Note", "Read and add to the run's journal", bar=False),
    Action("train", "export", "E", "Export", "Take a model out: adapter, merged, or GGUF", bar=False),
    Action("train", "mark", "space", "Mark", "Mark the run: curves of marked runs are drawn together"),
    Action("train", "unmark", "escape", "Unmark", "Mark no run any more", bar=False),
    Action("train", "compare", "b", "Beside", "Marked runs side by side: figures, settings, verdicts, notes"),
    Action("train", "queue", "u", "Queue", "Runs that wait for their turn, and sweeps"),
    Action("train.compare", "sort", "m", "Metric", "Sort by the next metric"),
    Action("train.compare", "open", "enter", "Open", "Show the run with its curves"),
    Action("train.compare", "back", "escape,b", "Runs", "Back to the list of runs"),
    Action("train.queue", "add", "a", "Add", "Put a run with the saved settings at the end"),
    Action("train.queue", "sweep", "v", "Vary", "Put a sweep in: a run for each combination of settings"),
    Action("train.queue", "work", "s", "Start/stop", "Work the queue off, or begin nothing new"),
    Action("train.queue", "remove", "x", "Remove", "Take out an entry that still waits"),
    Action("train.queue", "open", "enter", "Open", "Show the entry's run with its curves"),
    Action("train.queue", "back", "escape,u", "Runs", "Back to the list of runs"),
    Action("evaluate.ladder", "metric", "m,right", "Metric", "The next figure: its meaning, and its bars"),
    Action("evaluate.ladder", "metric_before", "left", "Before", "The figure before this one", bar=False),
    Action("evaluate.ladder", "open_rows", "enter", "Rows", "Show the rows of this model, the worst first"),
    Action("evaluate.ladder", "resume", "r", "Resume", "Go on with an evaluation that was stopped or killed"),
    Action("evaluate.rows", "open_row", "enter", "Open", "The row with all answers to it, side by side"),
    Action("evaluate.rows", "next_model", "right", "Model", "The rows of the next model"),
    Action("evaluate.rows", "previous_model", "left", "Before", "The rows of the model before", bar=False),
    Action("evaluate.rows", "all_rows", "escape", "All", "All rows again, not those of one check alone"),
    Action("evaluate.beside", "rate", "r", "Rate", "Rate answers blind: names hidden, the order drawn"),
    Action("evaluate.beside", "better_first", "a", "A", "Rating: the first answer is better", bar=False),
    Action("evaluate.beside", "better_second", "b", "B", "Rating: the second answer is better", bar=False),
    Action("evaluate.beside", "tie", "equals_sign", "Tie", "Rating: both are as good", bar=False),
    Action("evaluate.beside", "both_bad", "0", "Both bad", "Rating: neither will do", bar=False),
    Action(
        "evaluate.beside", "end_rating", "escape", "End", "End the rating; what was rated is kept", bar=False
    ),
    Action("evaluate.beside", "next_row", "right", "Next", "The next row"),
    Action("evaluate.beside", "previous_row", "left", "Previous", "The row before", bar=False),
    Action("evaluate.beside", "models", "m", "Models", "Choose the two to four models side by side"),
    Action("evaluate.beside", "edit", "e", "Edit", "Write the answer as it should be: a row to train on"),
    Action("evaluate.beside", "issue", "i", "Issue", "Note what is wrong with an answer"),
    Action(
        "evaluate.beside",
        "write",
        "w",
        "Write",
        "Votes as preference rows, edited answers as rows to train on",
    ),
    Action("evaluate.labels", "next_model", "right", "Model", "The labels of the next model"),
    Action(
        "evaluate.labels", "previous_model", "left", "Before", "The labels of the model before", bar=False
    ),
    Action("evaluate.checks", "open_rows", "enter", "Rows", "The rows in which the check found something"),
    Action("evaluate.checks", "next_model", "right", "Model", "Another model's rows open with enter"),
    Action("evaluate.checks", "previous_model", "left", "Before", "The model before", bar=False),
    Action("evaluate.grid", "use", "u", "Use", "Write the suggested decoding to [chat] of project.toml"),
    Action("evaluate.report", "write", "w", "Write", "Write the report as Markdown and as one HTML file"),
    Action("evaluate.report", "next_subject", "right", "Next", "The report of the next run or sweep"),
    Action("evaluate.report", "previous_subject", "left", "Before", "The report before this one", bar=False),
    Action("evaluate", "start", "t", "Evaluate", "Start an evaluation in the background"),
    Action("evaluate", "stop", "s", "Stop", "End it after its batch; it can be resumed"),
    Action("evaluate", "note", "n", "Note", "Read and add to the evaluation's notes", bar=False),
    Action("evaluate", "warnings", "y", "Warnings", "All that has to be known of these figures", bar=False),
    Action(
        "evaluate", "show_ladder", "l", "Ladder", "View: evaluations, and their models in a table", bar=False
    ),
    Action("evaluate", "show_rows", "o", "Rows", "View: row by row, the worst first", bar=False),
    Action(
        "evaluate", "show_beside", "f", "Beside", "View: answers side by side, and rating them", bar=False
    ),
    Action("evaluate", "show_labels", "c", "Labels", "View: confusion matrix, F1 by label", bar=False),
    Action("evaluate", "show_checks", "h", "Checks", "View: what is wrong with answers", bar=False),
    Action("evaluate", "show_grid", "d", "Decoding", "View: sampling settings against each other", bar=False),
    Action("evaluate", "show_report", "v", "Report", "View: the report, to be read here", bar=False),
    Action(
        "evaluate", "next_view", "right_square_bracket", "Next view", "The view after this one", bar=False
    ),
    Action(
        "evaluate",
        "previous_view",
        "left_square_bracket",
        "View before",
        "The view before this one",
        bar=False,
    ),
    Action("evaluate", "other_part", "tab", "Part", "The next part of this view", bar=False),
    Action("chat", "halt", "x", "Stop answer", "End the answers that are being written"),
    Action("chat", "write", "i,enter", "Write", "Type a message; esc leaves the input"),
    Action("chat", "model", "m", "Model", "Choose the base model or a checkpoint for this column"),
    Action("chat", "regenerate", "g", "Again", "Ask the last question once more; the old answer is a branch"),
    Action("chat", "value", "v", "Value", "What is given with the answer, such as its emotion"),
    Action("chat", "candidates", "V", "Candidates", "One answer for each value, to pick from"),
    Action("chat", "edit", "e", "Edit", "Change the chosen turn, or the last question, and go on from it"),
    Action("chat", "tokens", "t", "Tokens", "How likely each token of the answer was, and what else"),
    Action("chat", "add_column", "a", "Column", "One more model beside these that answers each message"),
    Action("chat", "settings", "s", "Settings", "Temperature and the other sampling settings; saves them"),
    Action("chat", "undo", "u", "Undo", "Take the last message, change or choice of branch back"),
    Action("chat", "save_row", "w", "Save row", "The conversation up to the answer as a training row"),
    Action("chat", "fresh", "n", "New", "Begin a new conversation; the old one stays on disk"),
    Action("chat", "open", "o", "Open", "Go on with a conversation that was kept"),
    Action("chat", "preset", "r", "Presets", "Sampling settings that belong together", bar=False),
    Action("chat", "system", "S", "System", "Change the system message, saved to project.toml", bar=False),
    Action("chat", "context", "C", "Context", "Context blocks on and off, and what is left out", bar=False),
    Action("chat", "markdown", "f", "Markdown", "Show answers as Markdown, or as written", bar=False),
    Action(
        "chat", "previous_turn", "left_square_bracket", "Turn before", "Choose the turn before", bar=False
    ),
    Action("chat", "next_turn", "right_square_bracket", "Next turn", "Choose the turn after", bar=False),
    Action("chat", "branches", "b", "Branches", "Choose among the branches of the conversation", bar=False),
    Action("chat", "next_column", "tab", "Next column", "Keys go to the next column", bar=False),
    Action("chat", "remove_column", "d", "Away", "Take the column away from here", bar=False),
    Action(
        "chat", "column_settings", "c", "Own settings", "Sampling settings for this column alone", bar=False
    ),
    Action("chat", "good", "plus", "Good", "A good answer, kept with it; again: no longer", bar=False),
    Action("chat", "bad", "minus", "Bad", "A bad answer, kept with it; again: no longer", bar=False),
    Action("chat", "issue", "l", "Issue", "Say what is wrong with the answer, kept with it", bar=False),
    Action("chat", "copy", "y", "Copy", "Copy the answer", bar=False),
    Action("chat", "export", "E", "Export", "Write the conversation as Markdown beside it", bar=False),
    Action("chat.tokens", "unlikely", "n", "Least likely", "The least likely token, then the next one"),
    Action("chat.tokens", "likelier", "N", "Back", "The unlikely token before"),
    Action("chat.tokens", "back", "escape,t", "Chat", "Back to the conversation"),
    *(
        Action(
            "chat.candidates",
            f"take_{number}",
            str(number),
            "Take",
            f"Candidate {number} becomes the answer",
            bar=number == 1,
        )
        for number in range(1, 9)
    ),
    Action("chat.candidates", "back", "escape", "None", "Take none; stops those that are being written"),
)


def actions(*places: str) -> list[Action]:
    """The actions of these places, in the registry's order."""
    return [action for action in ACTIONS if action.place in places]


def bindings(place: str) -> list[BindingType]:
    """Textual bindings of one place; each calls `action_do(name)`."""
    return [
        Binding(
            action.keys,
            f"do('{action.name}')",
            action.label,
            id=f"{place}.{action.name}",
            tooltip=action.help,
            show=False,
        )
        for action in actions(place)
    ]
