"""The notice table: every kind of notice, whom it is for, and what it makes untrue. Read top to bottom; nothing else decides.

DOMAIN.md, section 7. Texts in both languages stand in `messages/`; a structure test fails on a kind without one.
"""

from dataclasses import dataclass
from enum import StrEnum, auto


class Group(StrEnum):
    """Who of a proposal or meeting: people are found when the notice is owed, in the transaction that owes it."""

    SUBMITTER = "submitter"
    OFFICE = "office"
    FOCAL_POINTS = "focal_points"
    REVIEWERS = "reviewers"
    HEADS = "heads"
    FINANCE = "finance"
    EMBASSIES = "embassies"  # those accredited in one of the countries
    MISSION = "mission"
    TO_SIGN = "to_sign"  # the side that must sign next, or both
    OWNER = "owner"  # of what the facts are about
    INVITED = "invited"  # who was sent an invitation to the meeting, and none that took it back


class Calendar(StrEnum):
    """What a notice does to a meeting in its reader's calendar."""

    INVITE = auto()
    CANCEL = auto()
    UNINVITE = auto()  # the meeting takes place without them


IOM_SIDE = (Group.SUBMITTER, Group.OFFICE)
OWING = (Group.OFFICE, Group.FOCAL_POINTS)
DECIDED = (*IOM_SIDE, Group.FOCAL_POINTS, Group.EMBASSIES, Group.MISSION)
TABLE = (Group.REVIEWERS, Group.HEADS, Group.FOCAL_POINTS, Group.MISSION)
CONCERNED = (*TABLE, Group.OFFICE, Group.EMBASSIES)
RETURNED = ("proposal.return", "proposal.screened_out", "proposal.deadline_moved")
TABLED = ("proposal.recommend",)
TO_SIGN = ("agreement.to_sign", "amendment.to_sign")
_CONSULTATION = ("consultation.planned", "consultation.moved", "consultation.uninvited")
_MEETING = ("technical_meeting.planned", "technical_meeting.moved", "technical_meeting.uninvited")


@dataclass(frozen=True, slots=True)
class Notice:
    """One kind. `ends` are kinds whose unsent messages on the same subject are no longer true once this is owed.

    A `decision` carries the letter and reaches everybody at once; a `reminder` may be opted out of; what is `private`
    no webhook subscribes to. One without groups is for people who are named when it is owed.
    """

    kind: str
    to: tuple[Group, ...]
    ends: tuple[str, ...] = ()
    decision: bool = False
    reminder: bool = False
    invitation: Calendar | None = None
    private: bool = False


_ALL = (
    Notice("proposal.submit", (*IOM_SIDE, Group.REVIEWERS), ends=RETURNED),
    Notice("proposal.screened_out", (*IOM_SIDE, Group.REVIEWERS), ends=RETURNED),
    Notice("proposal.deadline_moved", IOM_SIDE, ends=("proposal.deadline_moved",)),
    Notice("proposal.return", IOM_SIDE, ends=(*RETURNED, *TABLED)),
    Notice("proposal.admit", (*IOM_SIDE, Group.REVIEWERS), ends=RETURNED),
    Notice("proposal.recommend", (Group.HEADS,), ends=TABLED),
    Notice("proposal.approve", DECIDED, ends=TABLED, decision=True),
    Notice("proposal.reject", DECIDED, ends=TABLED, decision=True),
    Notice("proposal.defer", DECIDED, ends=TABLED, decision=True),
    Notice("proposal.withdraw", (Group.REVIEWERS, Group.HEADS), ends=(*RETURNED, *TABLED)),
    Notice("proposal.withdraw_approved", (*DECIDED, Group.REVIEWERS, Group.HEADS), ends=TO_SIGN),
    Notice("proposal.terminate", (*DECIDED, Group.FINANCE), ends=TO_SIGN),
    Notice("proposal.lapse", IOM_SIDE, ends=RETURNED),
    Notice("proposal.complete", (*OWING, Group.REVIEWERS)),
    Notice("proposal.close", OWING),
    Notice("clarification.asked", IOM_SIDE),
    Notice("clarification.answered", (Group.REVIEWERS,), ends=("clarification.asked",)),
    Notice("proposal.corrected", DECIDED, decision=True),
    Notice("consultation.planned", TABLE, invitation=Calendar.INVITE),
    Notice("consultation.moved", TABLE, ends=_CONSULTATION, invitation=Calendar.INVITE),
    Notice("consultation.uninvited", (), invitation=Calendar.UNINVITE),
    Notice("consultation.cancelled", (Group.INVITED,), ends=_CONSULTATION, invitation=Calendar.CANCEL),
    Notice("minutes.to_confirm", (Group.FOCAL_POINTS,)),
    Notice("technical_meeting.planned", CONCERNED, invitation=Calendar.INVITE),
    Notice("technical_meeting.moved", CONCERNED, ends=_MEETING, invitation=Calendar.INVITE),
    Notice("technical_meeting.uninvited", (), invitation=Calendar.UNINVITE),
    Notice("technical_meeting.cancelled", (Group.INVITED,), ends=_MEETING, invitation=Calendar.CANCEL),
    Notice("agreement.to_sign", (Group.TO_SIGN,), ends=("agreement.to_sign",)),
    Notice("amendment.to_sign", (Group.TO_SIGN,)),
    Notice("payment.prepared", (Group.FINANCE,)),
    Notice("payment.released", (Group.FOCAL_POINTS,), ends=("payment.prepared",)),
    Notice("payment.received", (Group.FINANCE,), ends=("payment.released",)),
    Notice("report.submitted", (Group.REVIEWERS,), ends=("report.returned", "report.due", "report.overdue")),
    Notice("report.returned", OWING, ends=("report.submitted",)),
    Notice("report.accepted", OWING, ends=("report.submitted",)),
    Notice("evaluation.delivered", (Group.HEADS,)),
    Notice("evaluation.answered", (Group.REVIEWERS,)),
    Notice("window.opens", OWING, ends=("window.opens",), reminder=True),
    Notice("window.closes", OWING, ends=("window.closes",), reminder=True),
    Notice("report.due", OWING, ends=("report.due",), reminder=True),
    Notice("report.overdue", OWING, ends=("report.due",), reminder=True),
    Notice("webhook.paused", (Group.OWNER,), ends=("webhook.paused",), private=True),
    Notice("webhook.test", (), private=True),
)
NOTICES = {one.kind: one for one in _ALL}
REMINDERS = frozenset(one.kind for one in _ALL if one.reminder)
AT_ONCE = frozenset(one.kind for one in _ALL if one.decision or one.invitation)  # never part of a digest
# What happens and is told to nobody, with what it ends: the side that did it knows, and the other side learns it when
# something is to be done.
SILENT: dict[str, tuple[str, ...]] = {
    "proposal.start_review": (),
    "proposal.sign": ("agreement.to_sign",),
    "proposal.amend": ("amendment.to_sign",),
    "payment.scheduled": (),
    "payment.cancelled": ("payment.prepared", "payment.released"),
    "evaluation.planned": (),
    "evaluation.closed": (),
}
