"""What stands where in a proposal's workbook. What a cell holds (kind, list, limits) is taken from the content's own schema."""

from dataclasses import dataclass
from typing import Any

from app.domain.proposal import NEEDED_TO_SUBMIT, Content

ON_PURPOSE = "-"  # a cell that is empty on purpose: "", [] or null, where leaving it blank leaves the field out
ABSENT: Any = object()
_SCHEMA = Content.model_json_schema()
_BASES = {"integer": "whole", "number": "number", "boolean": "yes_no", "string": "text"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a cell takes. `least` and `most` bound a text's length or a number; `many` is a list written in one cell."""

    base: str  # text, whole, number, day, yes_no
    many: bool = False
    some: bool = False  # a list that may not be empty
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    formed: bool = False  # a text that must have a certain form
    nullable: bool = False
    optional: bool = False  # may be left out of a part that is there

    @property
    def nothing(self) -> Any:
        """The empty value that a cell empty on purpose stands for; ABSENT where there is none."""
        if self.many:
            return []
        if self.nullable:
            return None
        return ABSENT if self.base != "text" or self.formed or self.choices or self.least else ""

    @property
    def blank(self) -> Any:
        """What a blank cell says in a part or row that is there; ABSENT where it says nothing."""
        return ABSENT if self.optional or self.some else self.nothing


@dataclass(frozen=True, slots=True)
class Field:
    """One cell: `steps` lead to its value, in a table from the row on."""

    steps: tuple[str, ...]
    label: str
    help: str
    kind: Kind
    needed: bool
    tall: bool = False  # shown with room for several lines

    @property
    def heading(self) -> str:
        """The label as it is shown: a star marks what is needed."""
        return f"{self.label} *" if self.needed else self.label


@dataclass(frozen=True, slots=True)
class Form:
    """A sheet of groups, each with a title and lines of label, value, help."""

    name: str
    about: str
    groups: tuple[tuple[str, tuple[Field, ...]], ...]

    @property
    def fields(self) -> list[Field]:
        return [field for _, fields in self.groups for field in fields]


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet with a row for each entry of the list that `steps` lead to; at most `most` of them."""

    name: str
    about: str
    steps: tuple[str, ...]
    fields: tuple[Field, ...]
    most: int
    needed: bool


def _node(steps: tuple[str, ...]) -> dict[str, Any]:
    """The schema of the value these steps of the content lead to; `*` is any entry of a list."""
    node = _SCHEMA
    for step in steps:
        inside = _inside(node)
        node = inside["items"] if step == "*" else inside.get("properties", {}).get(step) or {
            **inside["additionalProperties"], "optional": True
        }  # fmt: skip
    return {**_inside(node), "nullable": "anyOf" in node}


def _inside(node: dict[str, Any]) -> dict[str, Any]:
    """What a schema says once references are followed and the alternative null is set aside."""
    one: dict[str, Any] = node.get("anyOf", [node])[0]
    return _SCHEMA["$defs"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one


def _kind(steps: tuple[str, ...]) -> Kind:
    whole = _node(steps)
    node = _node((*steps, "*")) if whole["type"] == "array" else whole
    return Kind(
        base="day" if node.get("format") == "date" else _BASES[node["type"]],
        many=node is not whole,
        some=whole.get("minItems", 0) > 0,
        choices=tuple(node.get("enum", ())),
        least=node.get("minLength", node.get("minimum")),
        most=node.get("maxLength", node.get("maximum")),
        formed="x00" not in node.get("pattern", "x00"),
        nullable=whole["nullable"],
        optional="optional" in whole,
    )


def _field(path: str, label: str, help: str, tall: bool = False) -> Field:
    steps = tuple(path.split("/"))
    return Field(("content", *steps), label, help, _kind(steps), steps[0] in NEEDED_TO_SUBMIT, tall)


def _table(path: str, name: str, about: str, *columns: tuple[str, str, str]) -> Table:
    steps = tuple(path.split("/"))
    kinds = [_kind((*steps, "*", member)) for member, _, _ in columns]
    fields = tuple(
        Field((member,), label, help, kind, kind.blank is ABSENT)
        for (member, label, help), kind in zip(columns, kinds, strict=True)
    )
    return Table(name, about, ("content", *steps), fields, _node(steps)["maxItems"], path in NEEDED_TO_SUBMIT)


PROPOSAL = Form(
    "Proposal",
    "One proposal. Fill the tinted cells; what has a * is needed before it can be submitted.",
    (
        (
            "The proposal",
            (
                Field(("cycle",), "Cycle", "The year whose funds it asks for.", Kind("whole", least=2000, most=2100), True),
                Field(("office",), "Office", "The IOM office that proposes it, such as IOM-NE.", Kind("text", most=40), False),
                _field("title", "Title", "10 to 200 characters."),
                _field("summary", "Summary", "At most 350 words: the problem, what is done about it, for whom and with whom.", True),
                _field("period/start", "Period from", "The first day, a date."),
                _field("period/end", "Period to", "The last day, a date after the first."),
                _field("prima_reference", "PRIMA reference", "The project's reference in PRIMA, where it has one."),
                _field("previous_proposal", "Previous proposal", "The reference of an earlier proposal, DK-IOM-2026-001."),
            ),
        ),
        (
            "Priorities",
            (
                _field("priority_areas", "Priority areas", "Numbers of the strategy's priority areas, see Codes."),
                _field("srf_outcomes", "SRF outcomes", "Codes of IOM's results framework such as 3b.1, 4a.1; see Codes."),
                _field("gcm_objectives", "GCM objectives", "Numbers 1 to 23 of the Global Compact's objectives."),
                _field("sdg_targets", "SDG targets", "Such as 10.7, 8.8."),
                _field("gender_marker", "Gender marker", "IOM Gender Marker."),
            ),
        ),
        (
            "Where",
            (
                _field("route", "Route", "The migratory route, such as Central Mediterranean."),
                _field("geography_justification", "Why these countries", "Where countries lie outside the framework's focus.", True),
            ),
        ),
        (
            "Human rights",
            (
                _field("human_rights/vulnerable_groups", "Vulnerable groups", "Whom the activities protect in particular."),
                _field("human_rights/complaints_mechanism", "Complaints mechanism", "Can people complain safely?"),
                _field("human_rights/psea_plan", "PSEA plan", "Is there a plan against sexual exploitation and abuse?"),
                _field("human_rights/do_no_harm", "Do no harm", "How the activities avoid doing harm.", True),
            ),
        ),
        (
            "Additionality",
            (
                _field("additionality/not_covered_elsewhere", "Not covered elsewhere", "What nobody else pays for.", True),
                _field("additionality/exit_strategy", "Exit strategy", "What remains when the funds end, and who carries it on.", True),
            ),
        ),
        (
            "Data",
            (
                _field("data/functions", "Data functions", "What is done with data."),
                _field("data/national_counterpart", "National counterpart", "The authority whose data work is strengthened."),
                _field("data/data_protection", "Data protection", "Are IOM's data protection principles applied?"),
            ),
        ),
        (
            "Climate",
            (
                _field("climate/narrative", "Climate narrative", "How climate change and mobility are linked here.", True),
                _field("climate/activity_refs", "Climate activities", "Refs from the sheet Activities."),
            ),
        ),
        (
            "Innovation",
            (
                _field("innovation/approaches", "Approaches", "What is new in it."),
                _field("innovation/learning_question", "Learning question", "What we want to find out.", True),
                _field("innovation/scale_up", "Scaling up", "What happens when it works.", True),
            ),
        ),
        (
            "Contact",
            (
                _field("contact/name", "Contact name", "Who answers questions."),
                _field("contact/email", "Contact e-mail", "Their address."),
            ),
        ),
    ),
)  # fmt: skip

CRITERIA = Form(
    "Criteria",
    "IOM's own statement on each criterion, at most 3000 characters each; blank where there is none.",
    (("Statements", tuple(_field(f"criteria/{letter}", f"Criterion {letter}", "", True) for letter in "abcdefgh")),),
)

TABLES = (
    _table(
        "countries", "Countries", "A row for each country the proposal is in.",
        ("code", "Country", "Two letters (ISO 3166-1). The list has the framework's focus; others may be written."),
        ("stages", "Stages", "What the country is on this route."),
    ),
    _table(
        "activities", "Activities", "A row for each activity, at most 60.",
        ("ref", "Ref", "A short name of your own such as A1; other sheets refer to it."),
        ("title", "Activity", "What is done."),
        ("type", "Type", "From the list."),
        ("countries", "Countries", "Codes from the sheet Countries."),
        ("stages", "Stages", "Where on the route."),
        ("target_groups", "Target groups", "Who takes part."),
        ("amount", "Amount, DKK", "Whole kroner."),
    ),
    _table(
        "tools", "Tools", "Global capacity-strengthening tools that are used.",
        ("name", "Tool", "From the list, or another."),
        ("activity_refs", "Activities", "Refs from the sheet Activities."),
        ("handover_to", "Handed over to", "Who goes on with the tool."),
    ),
    _table(
        "partners", "Partners", "A row for each partner.",
        ("name", "Partner", "Name of the organisation."),
        ("type", "Type", "From the list."),
        ("role", "Role", "What the partner does."),
        ("confirmed", "Confirmed", "Has the partner agreed?"),
        ("contribution", "Contribution, DKK", "What the partner itself pays, in whole kroner; 0 for nothing."),
    ),
    _table(
        "additionality/overlapping_projects", "Overlapping projects", "Projects in the same field, by IOM or others.",
        ("reference", "Project", "Title or reference."),
        ("how_it_differs", "How this differs", "What this proposal does that the project does not."),
    ),
    _table(
        "synergies", "Synergies", "Danish bilateral engagements that the proposal works with.",
        ("engagement", "Engagement", "Name of the Danish engagement."),
        ("iati_identifier", "IATI identifier", "Where it has one."),
        ("countries", "Countries", "Codes of the countries it is in."),
        ("embassy_consulted", "Embassy consulted", "Has the Danish embassy been asked?"),
        ("joint_action", "Joint action", "What is done together."),
    ),
    _table(
        "indicators", "Indicators", "Results to be reported on.",
        ("code", "Indicator", "A code of Annex 5 (see Codes), or custom: and a text for one of your own."),
        ("baseline", "Baseline", "A number."),
        ("target", "Target", "A number."),
        ("unit", "Unit", "What is counted, such as persons or %."),
        ("means_of_verification", "Means of verification", "How it will be known."),
    ),
    _table(
        "budget", "Budget", "A row for each line of the budget; each year's lines together are what is asked for.",
        ("year", "Year", "2027, say."),
        ("category", "Category", "From the list."),
        ("amount", "Amount, DKK", "Whole kroner."),
        ("activity_ref", "Activity", "Ref from the sheet Activities; blank for what serves all."),
    ),
    _table(
        "risks", "Risks", "What may go wrong, and what is done about it.",
        ("category", "Category", "From the list."),
        ("description", "Risk", "What may happen."),
        ("likelihood", "Likelihood", "1 (hardly) to 5 (nearly certain)."),
        ("impact", "Impact", "1 (slight) to 5 (severe)."),
        ("mitigation", "Mitigation", "What keeps it from happening, or small."),
    ),
)  # fmt: skip

# In the order of the tabs, as a person fills them. The three others are for people and drop-downs, and not read back.
SHEETS: tuple[Form | Table, ...] = (PROPOSAL, *TABLES, CRITERIA)
READ_ME, CODES, LISTS = "Read me", "Codes", "Lists"
FORM_HEADER = ("Field", "Answer", "Help")
