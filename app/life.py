"""The life of a proposal as a Mermaid diagram, drawn from the table of moves: `python -m app.life` prints it."""

from app.domain.workflow import MOVES, Event, State


def diagram() -> str:
    """A stateDiagram-v2 with one arrow for every step of the table."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.DRAFT}: create"]
    for move in MOVES:
        lines += [f"    {source} --> {move.target}: {move.event}" for source in move.sources]
        if move.event is Event.SUBMIT:
            lines += [f"    {source} --> {State.RETURNED}: {move.event}, not eligible" for source in move.sources]
    ends = [state for state in State if not any(state in move.sources for move in MOVES)]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in ends)])


if __name__ == "__main__":
    print(diagram())  # noqa: T201  # what it is for
