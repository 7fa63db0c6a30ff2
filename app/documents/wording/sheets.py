"""What the workbook of a cycle says beside what papers say, by key: English, Danish."""

WORDS = {
    "workbook": ("Cycle {cycle}", "Runde {cycle}"),
    "sheet_criteria": ("Criteria", "Kriterier"),
    "sheet_money": ("Money", "Midler"),
    "sheet_coverage": ("Coverage", "Dækning"),
    "read_me": ("Read me", "Læs mig"),
    "ref": ("Reference", "Reference"),
    "sheet_state": ("State", "Tilstand"),
    "from": ("From", "Fra"),
    "to": ("To", "Til"),
    "screened": ("Screening total", "Screening i alt"),
    "outcome": ("Outcome", "Udfald"),
    "counted": ("Counted in coverage and money", "Indgår i dækning og midler"),
    "yes": ("yes", "ja"),
    "no": ("no", "nej"),
    "sheet_letter": ("Letter", "Bogstav"),
    "earned": ("Earned", "Opnået"),
    "possible": ("Possible", "Muligt"),
    "consolidated": ("Mean grade (0-4)", "Gennemsnit (0-4)"),
    "verdict": ("Assessments", "Vurderinger"),
    "kind": ("Kind", "Art"),
    "code": ("Code", "Kode"),
    "name": ("Name", "Navn"),
    "number": ("Number of proposals", "Antal forslag"),
    "country": ("Country", "Land"),
    "srf_outcome": ("SRF outcome", "SRF-resultat"),
    "status": ("Status", "Status"),
    "committed": ("Committed", "Disponeret"),
    "said": ("Explanation", "Forklaring"),
    "eligible": ("Eligible", "Opfylder kravene"),
    "ineligible": ("Not eligible", "Opfylder ikke kravene"),
    "about": ("What this is", "Hvad dette er"),
    "about_said": (
        (
            "Every proposal of the cycle {cycle} that has been submitted, whatever became of it, and those deferred to it, as the "
            "Danish side sees them: their last submission."
        ),
        (
            "Alle forslag i runden {cycle}, der er indsendt, uanset hvad der blev af dem, og dem, der er udsat til den, som den "
            "danske side ser dem: seneste indsendelse."
        ),
    ),
    "as_of_said": (
        "{proposals} UTC is the newest change of a proposal here, {money} UTC that of the money. The same state gives the same file.",
        "{proposals} UTC er den nyeste ændring af et forslag her, {money} UTC den nyeste af midlerne. Samme tilstand giver samme fil.",
    ),
    "framework": ("Framework", "Ramme"),
    "figures": ("Figures", "Tal"),
    "figures_said": (
        (
            "Whole DKK, sums of the ledger's entries: requested by the last submission, approved net of what was freed, agreed by "
            "both signatures, paid when released. The budget is that of the last submission."
        ),
        (
            "Hele kroner, summer af posteringerne: ansøgt i seneste indsendelse, bevilget fratrukket frigjort, aftalt ved begge "
            "underskrifter, udbetalt ved frigivelse. Budgettet er det i seneste indsendelse."
        ),
    ),
    "counting": ("Counting", "Optælling"),
    "counting_said": (
        (
            "Coverage and money leave out what was rejected, cancelled without payment or returned by the screening. A proposal counts "
            "in full under every criterion and outcome; over countries its money is shared. Money has the envelopes as a whole and "
            "this cycle's part of them."
        ),
        (
            "Dækning og midler er uden afslåede forslag, annullerede uden udbetaling og forslag, som screeningen har returneret. Et "
            "forslag tæller fuldt under hvert kriterium og resultat; over lande fordeles beløbet. Midler viser rammerne som helhed "
            "og denne rundes del af dem."
        ),
    ),
    "grades_said": (
        "What completed assessments come to. It is left out while a proposal is under review, so that assessors stay blind.",
        "Hvad de afsluttede vurderinger giver. Det er udeladt, mens et forslag er under vurdering, så vurderingerne er uafhængige.",
    ),
    "totals": ("Totals", "Summer"),
    "totals_said": (
        "The sums at the foot follow a filter: they leave out what it hides.",
        "Summerne nederst følger et filter: de er uden det, som det skjuler.",
    ),
}
