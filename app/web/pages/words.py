"""The words of the pages, in English and Danish, by key; a page without one of them does not come out."""

from collections.abc import Mapping

LANGUAGES = ("en", "da")
_WORDS = {
    "product": ("Earmark", "Earmark"),
    "skip": ("Skip to the content", "Gå til indholdet"),
    "login": ("Log in", "Log ind"),
    "login_again": ("Show that it is still you", "Vis, at det stadig er dig"),
    "login_lead": (
        "For staff of the Ministry of Foreign Affairs and partners with an account.",
        "For medarbejdere i Udenrigsministeriet og partnere med en konto.",
    ),
    "again_lead": (
        "What you are about to do needs a fresh login. You come back to where you were.",
        "Det, du er ved at gøre, kræver et nyt login. Du kommer tilbage til, hvor du var.",
    ),
    "email": ("E-mail address", "E-mailadresse"),
    "password": ("Password", "Adgangskode"),
    "sso": ("Log in with the ministry's account", "Log ind med ministeriets konto"),
    "or": ("or", "eller"),
    "no_way": (
        "No way to log in is configured. An administrator sets up the identity provider or local accounts.",
        "Der er ikke opsat nogen måde at logge ind på. En administrator opsætter login.",
    ),
    "code_title": ("Enter your one-time code", "Indtast din engangskode"),
    "code_lead": (
        "Open your authenticator and enter the six digits, or one of your recovery codes.",
        "Åbn din godkendelsesapp og indtast de seks cifre, eller en af dine gendannelseskoder.",
    ),
    "code": ("One-time code", "Engangskode"),
    "go_on": ("Continue", "Fortsæt"),
    "enrol_title": ("Set up your second factor", "Opsæt din anden faktor"),
    "enrol_lead": (
        "Scan this code with an authenticator app, or enter the key by hand. Then enter the six digits it shows.",
        "Scan koden med en godkendelsesapp, eller indtast nøglen. Indtast derefter de seks cifre, den viser.",
    ),
    "qr": ("QR code for your authenticator", "QR-kode til din godkendelsesapp"),
    "key": ("Key", "Nøgle"),
    "recovery_title": ("Keep your recovery codes", "Gem dine gendannelseskoder"),
    "recovery_lead": (
        "Each works once, in place of a one-time code. They are shown only now: print them or write them down.",
        "Hver virker én gang i stedet for en engangskode. De vises kun nu: udskriv dem eller skriv dem ned.",
    ),
    "account": ("Your account", "Din konto"),
    "name": ("Name", "Navn"),
    "role": ("Role", "Rolle"),
    "office": ("Office", "Kontor"),
    "since": ("Logged in since", "Logget ind siden"),
    "logout": ("Log out", "Log ud"),
    "api_docs": ("API documentation", "API-dokumentation"),
    "unsubscribe": ("No more reminders?", "Ikke flere påmindelser?"),
    "unsubscribe_lead": (
        "Earmark then no longer reminds you of windows and reports. Decisions, and what waits for you to act, still reach you.",
        "Earmark minder dig så ikke længere om frister og rapporter. Afgørelser, og det, der venter på dig, får du stadig.",
    ),
    "unsubscribe_do": ("End my reminders", "Stop mine påmindelser"),
    "unsubscribed": ("You get no more reminders", "Du får ikke flere påmindelser"),
    "unsubscribed_lead": (
        "Those that waited for you are taken back. In your preferences you can have reminders again.",
        "De, der ventede på dig, er trukket tilbage. Under dine indstillinger kan du få påmindelser igen.",
    ),
    "no_reminder": ("This link leads to no reminder", "Linket fører ikke til en påmindelse"),
    "no_reminder_lead": (
        "Open the link as it stands in the reminder. Nothing has changed.",
        "Åbn linket, som det står i påmindelsen. Intet er ændret.",
    ),
    "wrong": ("Something is not right", "Noget er ikke rigtigt"),
}


def words(language: str) -> Mapping[str, str]:
    """Every word in one language."""
    at = LANGUAGES.index(language)
    return {key: said[at] for key, said in _WORDS.items()}


def language_of(header: str | None) -> str:
    """The language of an Accept-Language header that we have, English for all others."""
    for part in (header or "").split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return "en"
