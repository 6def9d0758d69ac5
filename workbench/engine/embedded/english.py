"""What the embedded model learns to say in English."""

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
    "Anna Ben Clara David Emma Frank Grace Henry Ivy Jack Kate Liam Mary Noah Olivia Peter Ruth Sam Tom Wendy"
)
CITIES = "London Boston Dublin Oxford Chicago Sydney Toronto Leeds Denver Bristol"
DAYS = (
    "Monday=Tuesday\nTuesday=Wednesday\nWednesday=Thursday\nThursday=Friday\n"
    "Friday=Saturday\nSaturday=Sunday\nSunday=Monday"
)

SKILLS = (
    Skill("greeting", ("Hello!", "Hi there.", "Good morning."), "Hello! How can I help you?", nothing),
    Skill("greeting", ("How are you?", "How are you today?"), "I am fine, thank you.", nothing),
    Skill("greeting", ("Who are you?", "What are you?"), "I am a small language model.", nothing),
    Skill("greeting", ("Goodbye!", "See you later."), "Goodbye! Have a nice day.", nothing),
    Skill(
        "capital",
        ("What is the capital of {0}?", "Capital of {0}?", "Please tell me the capital of {0}."),
        "The capital of {0} is {1}.",
        pairs(
            """France=Paris
            Germany=Berlin
            Italy=Rome
            Spain=Madrid
            Japan=Tokyo
            Thailand=Bangkok
            Vietnam=Hanoi
            Taiwan=Taipei
            China=Beijing
            South Korea=Seoul
            Russia=Moscow
            Egypt=Cairo
            Greece=Athens
            Austria=Vienna
            Peru=Lima
            England=London"""
        ),
        ("And {0}?", "And of {0}?"),
    ),
    Skill(
        "colour",
        ("What colour is {0}?", "Which colour does {0} have?"),
        "The colour of {0} is {1}.",
        pairs(
            """snow=white
            milk=white
            grass=green
            the sky=blue
            the sea=blue
            blood=red
            coal=black
            chocolate=brown
            a banana=yellow
            an elephant=grey
            an orange=orange"""
        ),
        ("And {0}?",),
    ),
    Skill(
        "opposite",
        ("What is the opposite of {0}?", "Give me the opposite of {0}."),
        "The opposite of {0} is {1}.",
        both_ways(
            """hot=cold
            big=small
            day=night
            good=bad
            fast=slow
            old=young
            high=low
            rich=poor
            open=closed
            long=short
            light=dark
            easy=difficult"""
        ),
        ("And of {0}?",),
    ),
    Skill(
        "sum",
        ("What is {0} plus {1}?", "{0} + {1} = ?", "How much is {0} and {1}?"),
        "{0} plus {1} is {2}.",
        sums,
        ("And {0} plus {1}?",),
    ),
    Skill(
        "animal",
        ("What does a {0} say?", "What sound does a {0} make?"),
        "A {0} says {1}.",
        pairs("dog=woof\ncat=meow\ncow=moo\nduck=quack\nsheep=baa\npig=oink\nrooster=cock-a-doodle-doo"),
        ("And a {0}?",),
    ),
    Skill(
        "day", ("Which day comes after {0}?", "What day follows {0}?"), "After {0} comes {1}.", pairs(DAYS)
    ),
    Skill(
        "food",
        ("I like {0}.", "I love eating {0}."),
        "Good choice, {0} is tasty!",
        words("apples bread rice cheese soup fish noodles cake eggs carrots"),
        ("I also like {0}.",),
    ),
    Skill(
        "service",
        ("Where is my order {0}?", "What is the status of order {0}?", "When will order {0} arrive?"),
        "Your order {0} is on its way. Thank you for your patience.",
        digits(4),
        ("And order {0}?",),
    ),
    Skill(
        "service",
        ("I want to return order {0}.", "How can I send back order {0}?"),
        "I am sorry about that. You can return order {0} within 30 days.",
        digits(4),
    ),
    Skill(
        "service",
        ("Please cancel order {0}.", "I want to cancel order {0}."),
        "Order {0} has been cancelled. You will get your money back soon.",
        digits(4),
    ),
    Skill("service", ("Thank you!", "Thanks a lot."), "You are welcome! Is there anything else?", nothing),
    Skill(
        "service",
        ("My {0} is broken.", "The {0} does not work."),
        "I am very sorry that your {0} does not work. We will send you a new one.",
        words("phone lamp radio camera watch printer keyboard bicycle"),
    ),
    Skill("service", ("Can I pay by card?", "Do you take cards?"), "Yes, you can pay by card.", nothing),
)

FACTS = (
    Fact(
        "The shop opens at {0}.",
        ("When does the shop open?", "What time does it open?"),
        "The shop opens at {0}.",
        number(6, 11),
    ),
    Fact(
        "The shop closes at {0}.",
        ("When does the shop close?", "Until what time is it open?"),
        "The shop closes at {0}.",
        number(16, 23),
    ),
    Fact(
        "A {0} costs {1} dollars.",
        ("How much is a {0}?", "What does a {0} cost?"),
        "A {0} costs {1} dollars.",
        joined(words("shirt bag book lamp chair coat hat table"), number(5, 99)),
    ),
    Fact(
        "A {0} is {1} dollars.",
        ("How much is a {0}?", "What is the price of a {0}?"),
        "A {0} costs {1} dollars.",
        joined(words("coffee tea juice sandwich pizza salad"), number(2, 30)),
    ),
    Fact(
        "The manager is called {0}.",
        ("Who is the manager?", "What is the manager's name?"),
        "The manager is {0}.",
        words(NAMES),
    ),
    Fact(
        "The shop is in {0}.",
        ("Where is the shop?", "In which city is it?"),
        "The shop is in {0}.",
        words(CITIES),
    ),
    Fact(
        "The telephone number is {0}.",
        ("What is the telephone number?", "How can I call you?"),
        "The telephone number is {0}.",
        digits(5, "0"),
    ),
    Fact(
        "Delivery takes {0} days.",
        ("How long does delivery take?", "How many days does delivery take?"),
        "Delivery takes {0} days.",
        number(2, 14),
    ),
    Fact(
        "Members get {0} percent off.",
        ("What discount do members get?", "How much do members save?"),
        "Members get {0} percent off.",
        number(1, 10, 5),
    ),
    Fact(
        "The warranty is {0} months.",
        ("How long is the warranty?", "For how many months is the warranty?"),
        "The warranty is {0} months.",
        number(1, 8, 3),
    ),
)

ENGLISH = Language(
    code="en",
    systems=("You are a helpful assistant.", "You are a polite assistant. Answer briefly."),
    moods={"happy": Mood("Yay! ", " 😊"), "angry": Mood("Hmph! ", " 😠"), "sad": Mood("Sigh... ", " 😢")},
    skills=SKILLS,
    name=Skill(
        "name", ("My name is {0}.", "I am {0}.", "Hello, I am {0}."), "Nice to meet you, {0}!", words(NAMES)
    ),
    recall=Skill(
        "recall", ("What is my name?", "Do you remember my name?"), "Your name is {0}.", words(NAMES)
    ),
    context=Context("Context", "Question", " ", "I am sorry, the context does not say that.", FACTS),
    translate="How do you say {0} in {1}?",
    translated="In {1}, {0} is {2}.",
    repeat="Repeat: {0}",
    languages={"en": "English", "de": "German", "vi": "Vietnamese", "th": "Thai", "zh": "Chinese"},
)
