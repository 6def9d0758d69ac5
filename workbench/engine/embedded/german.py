"""What the embedded model learns to say in German."""

from __future__ import annotations

from workbench.engine.embedded.skill import (
    Context,
    Fact,
    Language,
    Mood,
    Skill,
    both_ways,
    digits,
    joined,
    nothing,
    number,
    pairs,
    sums,
    words,
)

NAMES = (
    "Anke Bernd Claudia Dieter Erika Fritz Greta Hans Inge Jürgen Karin Lukas Monika Niklas Petra Ralf Uwe"
)
CITIES = "Hamburg München Köln Bremen Leipzig Dresden Bonn Mainz Wien Zürich"
DAYS = (
    "Montag=Dienstag\nDienstag=Mittwoch\nMittwoch=Donnerstag\nDonnerstag=Freitag\n"
    "Freitag=Samstag\nSamstag=Sonntag\nSonntag=Montag"
)

SKILLS = (
    Skill(
        "greeting", ("Hallo!", "Guten Tag.", "Guten Morgen."), "Hallo! Wie kann ich Ihnen helfen?", nothing
    ),
    Skill("greeting", ("Wie geht es dir?", "Wie geht es Ihnen?"), "Mir geht es gut, danke.", nothing),
    Skill("greeting", ("Wer bist du?", "Was bist du?"), "Ich bin ein kleines Sprachmodell.", nothing),
    Skill("greeting", ("Tschüss!", "Auf Wiedersehen."), "Auf Wiedersehen! Einen schönen Tag noch.", nothing),
    Skill(
        "capital",
        ("Was ist die Hauptstadt von {0}?", "Hauptstadt von {0}?", "Wie heißt die Hauptstadt von {0}?"),
        "Die Hauptstadt von {0} ist {1}.",
        pairs(
            """Frankreich=Paris
            Deutschland=Berlin
            Italien=Rom
            Spanien=Madrid
            Japan=Tokio
            Thailand=Bangkok
            Vietnam=Hanoi
            Taiwan=Taipeh
            China=Peking
            Südkorea=Seoul
            Russland=Moskau
            Ägypten=Kairo
            Griechenland=Athen
            Österreich=Wien
            Peru=Lima
            England=London"""
        ),
        ("Und von {0}?",),
    ),
    Skill(
        "colour",
        ("Welche Farbe hat {0}?", "Sag mir, welche Farbe {0} hat."),
        "Die Farbe ist {1}.",
        pairs(
            """der Schnee=weiß
            die Milch=weiß
            das Gras=grün
            der Himmel=blau
            das Meer=blau
            das Blut=rot
            die Kohle=schwarz
            die Schokolade=braun
            die Banane=gelb
            der Elefant=grau
            die Orange=orange"""
        ),
        ("Und {0}?",),
    ),
    Skill(
        "opposite",
        ("Was ist das Gegenteil von {0}?", "Nenne das Gegenteil von {0}."),
        "Das Gegenteil von {0} ist {1}.",
        both_ways(
            """heiß=kalt
            groß=klein
            Tag=Nacht
            gut=schlecht
            schnell=langsam
            alt=jung
            hoch=niedrig
            reich=arm
            offen=geschlossen
            lang=kurz
            hell=dunkel
            leicht=schwer"""
        ),
        ("Und von {0}?",),
    ),
    Skill(
        "sum",
        ("Was ist {0} plus {1}?", "{0} plus {1} = ?", "Wie viel ist {0} und {1}?"),
        "{0} plus {1} ist {2}.",
        sums,
        ("Und {0} plus {1}?",),
    ),
    Skill(
        "animal",
        ("Wie macht {0}?", "Welchen Laut macht {0}?"),
        "Man hört: {1}.",
        pairs(
            "der Hund=wau\ndie Katze=miau\ndie Kuh=muh\ndie Ente=quak\ndas Schaf=mäh\n"
            "das Schwein=grunz\nder Hahn=kikeriki"
        ),
        ("Und {0}?",),
    ),
    Skill("day", ("Welcher Tag kommt nach {0}?", "Was kommt nach {0}?"), "Nach {0} kommt {1}.", pairs(DAYS)),
    Skill(
        "food",
        ("Ich mag {0}.", "Ich esse gern {0}."),
        "{0}? Das klingt lecker!",
        words("Äpfel Brot Reis Käse Suppe Fisch Nudeln Kuchen Eier Kartoffeln"),
        ("Ich mag auch {0}.",),
    ),
    Skill(
        "service",
        ("Wo ist meine Bestellung {0}?", "Wann kommt die Bestellung {0}?", "Wie steht es um Bestellung {0}?"),
        "Ihre Bestellung {0} ist unterwegs. Vielen Dank für Ihre Geduld.",
        digits(4),
        ("Und die Bestellung {0}?",),
    ),
    Skill(
        "service",
        ("Ich möchte die Bestellung {0} zurückgeben.", "Wie kann ich Bestellung {0} zurücksenden?"),
        "Das tut mir leid. Sie können Bestellung {0} innerhalb von 30 Tagen zurückgeben.",
        digits(4),
    ),
    Skill(
        "service",
        ("Bitte stornieren Sie die Bestellung {0}.", "Ich möchte die Bestellung {0} stornieren."),
        "Die Bestellung {0} wurde storniert. Sie erhalten Ihr Geld bald zurück.",
        digits(4),
    ),
    Skill("service", ("Danke!", "Vielen Dank."), "Gern geschehen! Kann ich noch etwas für Sie tun?", nothing),
    Skill(
        "service",
        ("{0} ist kaputt.", "{0} funktioniert nicht."),
        "Das tut mir sehr leid. Wir schicken Ihnen Ersatz.",
        words("Das_Telefon Die_Lampe Das_Radio Die_Kamera Die_Uhr Der_Drucker Die_Tastatur Das_Fahrrad"),
    ),
    Skill(
        "service",
        ("Kann ich mit Karte zahlen?", "Nehmen Sie Karten?"),
        "Ja, Sie können mit Karte zahlen.",
        nothing,
    ),
)

FACTS = (
    Fact(
        "Der Laden öffnet um {0} Uhr.",
        ("Wann öffnet der Laden?", "Ab wann ist geöffnet?"),
        "Der Laden öffnet um {0} Uhr.",
        number(6, 11),
    ),
    Fact(
        "Der Laden schließt um {0} Uhr.",
        ("Wann schließt der Laden?", "Bis wann ist geöffnet?"),
        "Der Laden schließt um {0} Uhr.",
        number(16, 23),
    ),
    Fact(
        "Bei uns kostet {0} {1} Euro.",
        ("Was kostet {0}?", "Wie viel kostet {0}?"),
        "Bei uns kostet {0} {1} Euro.",
        joined(
            words("ein_Hemd ein_Buch ein_Stuhl ein_Hut ein_Tisch eine_Tasche eine_Lampe eine_Jacke"),
            number(5, 99),
        ),
    ),
    Fact(
        "Der Preis für {0} beträgt {1} Euro.",
        ("Was kostet {0}?", "Wie hoch ist der Preis für {0}?"),
        "Der Preis für {0} beträgt {1} Euro.",
        joined(words("Kaffee Tee Saft Kuchen Pizza Salat"), number(2, 30)),
    ),
    Fact(
        "Die Leitung hat {0}.",
        ("Wer hat die Leitung?", "Wer leitet den Laden?"),
        "Die Leitung hat {0}.",
        words(NAMES),
    ),
    Fact(
        "Der Laden liegt in {0}.",
        ("Wo liegt der Laden?", "In welcher Stadt liegt er?"),
        "Der Laden liegt in {0}.",
        words(CITIES),
    ),
    Fact(
        "Die Telefonnummer ist {0}.",
        ("Wie ist die Telefonnummer?", "Wie kann ich Sie anrufen?"),
        "Die Telefonnummer ist {0}.",
        digits(5, "0"),
    ),
    Fact(
        "Die Lieferung dauert {0} Tage.",
        ("Wie lange dauert die Lieferung?", "Wie viele Tage dauert die Lieferung?"),
        "Die Lieferung dauert {0} Tage.",
        number(2, 14),
    ),
    Fact(
        "Mitglieder erhalten {0} Prozent Rabatt.",
        ("Wie viel Rabatt erhalten Mitglieder?", "Welchen Rabatt gibt es?"),
        "Mitglieder erhalten {0} Prozent Rabatt.",
        number(1, 10, 5),
    ),
    Fact(
        "Die Garantie gilt {0} Monate.",
        ("Wie lange gilt die Garantie?", "Wie viele Monate gilt die Garantie?"),
        "Die Garantie gilt {0} Monate.",
        number(1, 8, 3),
    ),
)

GERMAN = Language(
    code="de",
    systems=("Du bist ein hilfreicher Assistent.", "Du bist ein höflicher Assistent. Antworte kurz."),
    moods={"happy": Mood("Juhu! ", " 😊"), "angry": Mood("Pah! ", " 😠"), "sad": Mood("Seufz... ", " 😢")},
    skills=SKILLS,
    name=Skill(
        "name",
        ("Ich heiße {0}.", "Mein Name ist {0}.", "Hallo, ich bin {0}."),
        "Freut mich, {0}!",
        words(NAMES),
    ),
    recall=Skill(
        "recall", ("Wie heiße ich?", "Weißt du meinen Namen noch?"), "Sie heißen {0}.", words(NAMES)
    ),
    context=Context("Kontext", "Frage", " ", "Das steht leider nicht im Kontext.", FACTS),
    translate="Wie sagt man {0} auf {1}?",
    translated="Auf {1} heißt {0} {2}.",
    repeat="Wiederhole: {0}",
    languages={
        "en": "Englisch",
        "de": "Deutsch",
        "vi": "Vietnamesisch",
        "th": "Thailändisch",
        "zh": "Chinesisch",
    },
)
