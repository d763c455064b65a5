"""The words of the demo: what the clips say, and the pairs about them."""

# File, voice, rate, sox output options, ffmpeg encoder (None: sox writes the
# file itself), and what is said.
CLIPS = [
    ("weather.wav", "en-gb", 16000, ["-b", "16"], None,
     "Tomorrow will be cloudy, with light rain in the afternoon."),
    ("platform.wav", "en-us", 8000, ["-b", "16"], None,
     "The train to Lisbon leaves from platform nine."),
    ("umbrella.wav", "cmn", 22050, ["-b", "24"], None,
     "明天下午有小雨，请带伞。"),
    ("lighthouse.flac", "en-gb-scotland", 16000, ["-b", "16"], None,
     "The keeper of the lighthouse counts the ships at night."),
    ("recette.flac", "fr", 44100, ["-b", "16", "-c", "2"], None,
     "Ajoutez deux œufs et un peu de sucre."),
    ("bahnhof.mp3", "de", 44100, ["-b", "16", "-c", "2"],
     ["-c:a", "libmp3lame", "-b:a", "96k"],
     "Der Zug nach Hamburg hat zehn Minuten Verspätung."),
    ("joke.mp3", "en-us", 22050, ["-b", "16"],
     ["-c:a", "libmp3lame", "-b:a", "48k"],
     "Why did the clock go to school? To learn to tell the time."),
    ("mercado.ogg", "es", 48000, ["-b", "16", "-c", "2"],
     ["-c:a", "libvorbis", "-q:a", "3"],
     "Los tomates están a dos euros el kilo."),
    ("numbers.ogg", "en-gb", 16000, ["-b", "16"],
     ["-c:a", "libvorbis", "-q:a", "3"],
     "Three, one, four, one, five, nine, two, six."),
    ("appunti.opus", "it", 48000, ["-b", "16"],
     ["-c:a", "libopus", "-b:a", "24k"],
     "Ricordati di chiamare la nonna domenica."),
]

TOOLS = (
    '[{"name": "book_ticket", "description": "Book a train ticket.", '
    '"parameters": {"type": "object", "properties": {'
    '"to": {"type": "string", "description": "Where the train goes."}, '
    '"seats": {"type": "integer", "description": "How many seats."}}, '
    '"required": ["to"]}}]'
)


def pair(turns, chosen, rejected, *audios, **more):
    """TURNS alternate from the user's on; the answers are the model's."""
    return {
        "conversations": [
            {"from": ("human", "gpt")[i % 2], "value": turn}
            for i, turn in enumerate(turns)
        ],
        "chosen": chosen, "rejected": rejected, "audios": list(audios), **more,
    }


PAIRS = [
    pair(["<audio>What does the speaker say?"],
         "Tomorrow will be cloudy, with light rain in the afternoon.",
         "Tomorrow will be sunny all day.", "weather.wav"),
    pair(["<audio>Will I need an umbrella?"],
         "Yes, but only after noon: light rain is expected then.",
         "I cannot listen to audio.", "weather.wav"),
    pair(["<audio>Which platform does the train leave from?"],
         "From platform nine.", "From platform five.", "platform.wav"),
    pair(["<audio>\nWhere is the train going, and how good is the sound?"],
         "To Lisbon. The recording sounds like a telephone line.",
         "To London. The sound is perfect.", "platform.wav"),
    pair(["<audio>录音里说了什么？"], "她说：明天下午有小雨，请带伞。",
         "录音里没有人说话。", "umbrella.wav"),
    pair(["请把这段录音翻译成英文：<audio>"],
         "“There will be light rain tomorrow afternoon; please take an "
         "umbrella.”", "It is a song about the sun.", "umbrella.wav"),
    pair(["<audio>Where is the speaker from, do you think?"],
         "The accent sounds Scottish to me, though a short clip is not much "
         "to go by.", "From Texas.", "lighthouse.flac"),
    pair(["<audio>What does the keeper count?", "Ships.", "When?"],
         "At night.", "In the morning.", "lighthouse.flac"),
    pair(["<audio>Que faut-il ajouter ?"],
         "Deux œufs et un peu de sucre.", "Trois œufs et du sel.",
         "recette.flac", system="Réponds toujours en français."),
    pair(["<audio>Translate this into English, please."],
         "“Add two eggs and a little sugar.”", "“Add two cups of flour.”",
         "recette.flac"),
    pair(["<audio>Wie viel Verspätung hat der Zug?"],
         "Zehn Minuten.", "Eine Stunde.", "bahnhof.mp3"),
    pair(["<audio>Wohin fährt der Zug?", "Nach Hamburg.",
          "Und ist er pünktlich?"],
         "Nein, er hat zehn Minuten Verspätung.", "Ja, auf die Minute.",
         "bahnhof.mp3", system="Du hilfst Reisenden am Bahnhof."),
    pair(["<audio>Why is this funny?"],
         "A clock tells the time anyway: that it should go to school to learn "
         "it is the joke. 😀", "It is not.", "joke.mp3"),
    pair(["Finish the joke: <audio>"],
         "“To learn to tell the time.” The answer is in the clip already.",
         "Because it was late.", "joke.mp3"),
    pair(["<audio>¿Cuánto cuestan los tomates?"],
         "Dos euros el kilo.", "Cinco euros el kilo.", "mercado.ogg"),
    pair(["<audio>¿Cuánto pago por tres kilos?", "Seis euros.",
          "¿Y por medio kilo?"],
         "Un euro.", "Diez euros.", "mercado.ogg"),
    pair(["<audio>Write down the digits that you hear."],
         "3 1 4 1 5 9 2 6", "3 1 4 1 5 9 2 7", "numbers.ogg"),
    pair(["<audio>Which number do these digits open?"],
         "π, the ratio of a circle's circumference to its diameter: "
         "3.1415926…", "e = 2.718…", "numbers.ogg",
         system="You are a patient teacher of mathematics."),
    pair(["<audio>Chi devo chiamare, e quando?"],
         "La nonna, domenica.", "Il medico, lunedì.", "appunti.opus"),
    pair(["Put this note in my calendar as one line: <audio>"],
         "Sunday: call grandmother.", "Monday: buy milk.", "appunti.opus"),
    pair(["First: <audio>\nSecond: <audio>\nWhich clip is about the weather?"],
         "The first one.", "The second one.", "weather.wav", "numbers.ogg"),
    pair(["<audio><audio>Do both clips say the same thing?"],
         "Yes: rain tomorrow afternoon, once in English and once in Chinese; "
         "only the Chinese one mentions an umbrella.",
         "No, they have nothing in common.", "weather.wav", "umbrella.wav"),
    pair(["<audio>Where does this train go?", "To Lisbon.",
          "And this one? <audio>"],
         "To Hamburg, ten minutes late.", "To Lisbon as well.",
         "platform.wav", "bahnhof.mp3"),
    # Broken: the second recording was never listed.
    pair(["<audio>Compare this price with that one: <audio>"],
         "Both are two euros a kilo.", "I do not know.", "mercado.ogg"),
    pair(["<audio>ما هي الأرقام التي تسمعها؟"],
         "ثلاثة، واحد، أربعة، واحد، خمسة، تسعة، اثنان، ستة.",
         "لا أسمع شيئا.", "numbers.ogg"),
    pair(["<audio>ผู้พูดพูดว่าอะไร"], "พรุ่งนี้จะมีเมฆมากและมีฝนเล็กน้อยในช่วงบ่าย",
         "ไม่ได้พูดอะไรเลย", "weather.wav"),
    pair(["<audio>話している人は何を数えていますか。"],
         "夜の船を数えています。", "星を数えています。", "lighthouse.flac"),
    pair(["<audio>Write it as a Python list."],
         "```python\ndigits = [3, 1, 4, 1, 5, 9, 2, 6]\n```",
         "digits = 31415926", "numbers.ogg"),
    {
        "conversations": [
            {"from": "human", "value": "<audio>Book two seats on that train."},
            {"from": "function_call", "value":
             '{"name": "book_ticket", "arguments": '
             '{"to": "Lisbon", "seats": 2}}'},
            {"from": "observation", "value":
             '{"booked": true, "platform": 9}'},
        ],
        "chosen": "Done: two seats to Lisbon, from platform nine.",
        "rejected": "I cannot book tickets.",
        "audios": ["platform.wav"], "tools": TOOLS,
    },
    # Broken: the file was cut when it was copied.
    pair(["<audio>What will the weather be like?"],
         "Cloudy, with some rain.", "Snow.", "cut.wav"),
    pair(["What is a spectrogram?"],
         "A picture of sound: time runs along it, pitch up it, and the darker "
         "a spot, the louder that pitch at that moment.",
         "A kind of telescope."),
    pair(["<audio>", "I hear two eggs and some sugar.", "<audio>",
          "I hear tomatoes at two euros a kilo.",
          "Which clip comes from a market, and what would a kilo of the other "
          "cost? 🍅"],
         "The second comes from a market. The first names no price, so I "
         "cannot tell.", "The first; three euros.",
         "recette.flac", "mercado.ogg"),
]

# More text for the vocabulary, so that it is one a sentence can be read in.
CORPUS = [
    "Sound is a wave of pressure that travels through the air. An ear turns "
    "the wave into motion: the drum moves three small bones, the hammer, the "
    "anvil and the stirrup, and the last of them moves the fluid of the inner "
    "ear. The bones are called ossicles. They match a light medium to a heavy "
    "one, so that little of the sound is lost between them.",
    "A model that listens hears nothing of that. It is given a table of "
    "numbers, a column for each hundredth of a second and a row for each band "
    "of pitch, and it learns what the numbers mean from what people say about "
    "them. When two answers are given and one of them is better, it can learn "
    "from the difference: this one rather than that one.",
    "What does the speaker say? What can you hear in this recording? How many "
    "people are speaking, and in which language? Is there music in the "
    "background? Please write down every word. Listen to the clip and answer "
    "the question in one sentence. I hear a woman, a man, a child, a dog, a "
    "bell, a car, the sea, the wind, and nothing else.",
    "Yes, no, perhaps. I think that it is. I do not know. You are a helpful "
    "assistant. It is raining; it will rain; it rained. He said that she'd "
    "come, they're late, I'm sorry, we've seen it, you'll see, it's true, "
    "don't worry. Today, tomorrow, yesterday, morning, afternoon, evening, "
    "night. Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday.",
    "One two three four five six seven eight nine ten eleven twelve hundred "
    "thousand. First, second, third, last. Left and right, up and down, loud "
    "and quiet, fast and slow, high and low, long and short, before and "
    "after, with and without. system user assistant function observation "
    "tool name description parameters properties required type string object "
    "integer number array boolean action input true false null",
    "Le son est une onde qui voyage dans l'air. Que dit la personne ? Qu'est-ce "
    "que vous entendez ? Écoutez l'enregistrement et répondez en une phrase. "
    "C'est la voix d'une femme ; elle parle d'une recette. Oui, non, peut-être, "
    "aujourd'hui, demain, hier, le matin, le soir, la nuit.",
    "Der Schall ist eine Welle in der Luft. Was sagt die Person? Was hören Sie "
    "in dieser Aufnahme? Hören Sie gut zu und antworten Sie in einem Satz. Es "
    "ist die Stimme eines Mannes; er spricht über den Zug. Ja, nein, "
    "vielleicht, heute, morgen, gestern, früh, spät, größer, schöner, über.",
    "El sonido es una onda que viaja por el aire. ¿Qué dice la persona? ¿Qué "
    "se oye en esta grabación? Escucha y contesta con una frase. Es la voz de "
    "una mujer que habla del mercado. Sí, no, quizás, hoy, mañana, ayer, la "
    "mañana, la tarde, la noche, el niño, la niña, el año.",
    "Il suono è un'onda che viaggia nell'aria. Che cosa dice la persona? Che "
    "cosa si sente in questa registrazione? Ascolta e rispondi con una frase. "
    "È la voce di un uomo che parla della famiglia. Sì, no, forse, oggi, "
    "domani, ieri, il mattino, la sera, la notte, perché, più, già, città.",
    "声音是空气中的波。这个人说了什么？你在录音里听到了什么？请仔细听这段录音，"
    "然后用一句话回答。这是一位女士的声音，她在谈天气。是，不是，也许，今天，明天，"
    "昨天，早上，下午，晚上。一二三四五六七八九十。",
    "音は空気の中を伝わる波です。この人は何と言っていますか。録音の中で何が聞こえ"
    "ますか。よく聞いて、一つの文で答えてください。はい、いいえ、たぶん、今日、明日。",
    "الصوت موجة تنتقل في الهواء. ماذا يقول المتكلم؟ ماذا تسمع في هذا التسجيل؟ "
    "استمع جيدا ثم أجب بجملة واحدة. نعم، لا، ربما، اليوم، غدا، أمس.",
    "เสียงคือคลื่นในอากาศ คนนี้พูดว่าอะไร คุณได้ยินอะไรในเสียงนี้ ฟังแล้วตอบหนึ่งประโยค ใช่ ไม่ใช่ วันนี้ พรุ่งนี้",
    "for (size_t i = 0; i < n; i++)\n\tsum += x[i] * x[i];\n\n"
    "def mean(values):\n    return sum(values) / len(values)\n\n"
    "if __name__ == \"__main__\":\n    main()\n\n"
    "{\"name\": \"value\", \"list\": [1, 2, 3], \"ok\": true}\n",
]
