"""The words by which mail programs mark quoted, forwarded and automatic text, language by language.

Data only; ``visible`` and ``machine`` read it. A new language is a new line.
"""

# ruff: noqa: RUF001  (word lists: their letters are what they are, and a language stays on its line)

from __future__ import annotations

COLONS = ":："
DASHES = "-—–_=*~<>"
QUOTES = (">", "＞")
"""Signs that come in more than one width."""

WROTE = (
    *("wrote", "writes", "said"),  # en
    *("schrieb", "geschrieben"),  # de
    *("a écrit", "a ecrit", "écrit", "écrivait"),  # fr
    *("escribió", "escribio", "ha escrito"),  # es
    *("ha scritto", "scrive"),  # it
    *("schreef", "geschreven"),  # nl
    *("escreveu",),  # pt
    *("napisał", "napisała", "napisał(a)", "pisze"),  # pl
    *("написал", "написала", "написал(а)", "пишет", "писал(а)"),  # ru
    *("написав", "написала", "пише"),  # uk
    *("skrev",),  # sv da nb
    *("kirjoitti",),  # fi
    *("napsal", "napsala", "napsal(a)", "napísal", "napísal(a)"),  # cs sk
    *("írta",),  # hu
    *("a scris",),  # ro
    *("yazdı", "şunları yazdı", "şunu yazdı"),  # tr
    *("έγραψε",),  # el
    *("je napisao", "je napisala", "je napisao/la"),  # hr sr
    *("đã viết",),  # vi
    *("menulis",),  # id
    *("写道", "寫道", "写了", "写到"),  # zh
    *("さんは書きました", "のメール", "からのメール", "が書きました"),  # ja
    *("작성", "님이 작성", "님이 쓴 글", "썼습니다"),  # ko
)
"""The verb of an attribution line ("On Monday, Kim wrote:")."""

BEGINS = (
    *("on ", "at "),
    *("am ", "le ", "el ", "il ", "op ", "em ", "w dniu ", "dnia ", "den ", "dne ", "dňa ", "pe ", "în ", "в ", "vào "),
    *("в ", "на ", "στις ", "u ", "pada ", "在", "于", "於"),
    *("mon", "tue", "wed", "thu", "fri", "sat", "sun", "pon", "wt", "śr", "czw", "pt", "sob", "niedz"),
    *(
        "пн",
        "вт",
        "ср",
        "чт",
        "пт",
        "сб",
        "вс",
        "po ",
        "út",
        "st ",
        "čt",
        "pá",
        "so ",
        "ne ",
        "ma ",
        "ti ",
        "ke ",
        "to ",
    ),
)
"""How an attribution that runs over several lines begins, besides with a figure."""

FROM = (
    *(
        "from",
        "von",
        "de",
        "da",
        "van",
        "od",
        "från",
        "fra",
        "lähettäjä",
        "от",
        "від",
        "feladó",
        "de la",
        "kimden",
        "από",
    ),
    *(
        "gönderen",
        "expéditeur",
        "remitente",
        "mittente",
        "发件人",
        "寄件者",
        "寄件人",
        "差出人",
        "送信者",
        "보낸 사람",
        "보낸사람",
        "từ",
        "dari",
    ),
)
SENT = (
    *(
        "sent",
        "date",
        "gesendet",
        "datum",
        "envoyé",
        "envoyé le",
        "enviado",
        "enviado el",
        "enviado em",
        "enviada em",
        "fecha",
    ),
    *(
        "data",
        "inviato",
        "verzonden",
        "wysłano",
        "wysłane",
        "skickat",
        "sendt",
        "dato",
        "lähetetty",
        "päivämäärä",
        "отправлено",
    ),
    *(
        "дата",
        "надіслано",
        "odesláno",
        "odoslané",
        "dátum",
        "küldve",
        "elküldve",
        "trimis",
        "gönderildi",
        "tarih",
        "gönderme tarihi",
    ),
    *(
        "στάλθηκε",
        "发送时间",
        "日期",
        "寄件日期",
        "傳送時間",
        "送信日時",
        "日時",
        "日付",
        "보낸 날짜",
        "날짜",
        "보낸 시간",
        "đã gửi",
        "ngày",
    ),
)
TO = (
    *(
        "to",
        "an",
        "à",
        "pour",
        "para",
        "a",
        "aan",
        "till",
        "til",
        "kime",
        "alıcı",
        "do",
        "dla",
        "komu",
        "pro",
        "címzett",
    ),
    *("către", "vastaanottaja", "кому", "προς", "收件人", "收件者", "宛先", "받는 사람", "받는사람", "đến", "kepada"),
)
SUBJECT = (
    *(
        "subject",
        "betreff",
        "objet",
        "asunto",
        "oggetto",
        "onderwerp",
        "assunto",
        "temat",
        "ämne",
        "emne",
        "aihe",
        "тема",
    ),
    *(
        "předmět",
        "predmet",
        "tárgy",
        "subiect",
        "konu",
        "θέμα",
        "主题",
        "主題",
        "主旨",
        "件名",
        "제목",
        "chủ đề",
        "subjek",
    ),
)
"""Labels of the header block that Outlook and others put above a quoted mail."""

ORIGINAL = (
    *("original message", "original email", "ursprüngliche nachricht", "originalnachricht", "message d'origine"),
    *("message original", "mensaje original", "messaggio originale", "oorspronkelijk bericht", "mensagem original"),
    *("oryginalna wiadomość", "wiadomość oryginalna", "исходное сообщение", "оригинальное сообщение", "původní zpráva"),
    *("pôvodná správa", "eredeti üzenet", "opprinnelig melding", "original meddelelse", "oprindelig meddelelse"),
    *("ursprungligt meddelande", "originalmeddelande", "alkuperäinen viesti", "mesaj original", "orijinal mesaj"),
    *(
        "özgün ileti",
        "αρχικό μήνυμα",
        "原始邮件",
        "原始郵件",
        "原邮件",
        "元のメッセージ",
        "オリジナルメッセージ",
        "オリジナル メッセージ",
    ),
    *("원본 메시지", "원본 메일", "원본메일", "reply message", "replied message", "回复的原邮件"),
)
FORWARDED = (
    *(
        "forwarded message",
        "begin forwarded message",
        "weitergeleitete nachricht",
        "anfang der weitergeleiteten nachricht",
    ),
    *(
        "forwarded by",
        "message transféré",
        "message transmis",
        "début du message transféré",
        "début du message réexpédié",
    ),
    *("mensaje reenviado", "inicio del mensaje reenviado", "messaggio inoltrato", "inizio messaggio inoltrato"),
    *("doorgestuurd bericht", "begin doorgestuurd bericht", "mensagem encaminhada", "mensagem reencaminhada"),
    *("início da mensagem encaminhada", "przekazana wiadomość", "wiadomość przekazana", "пересылаемое сообщение"),
    *("пересланное сообщение", "vidarebefordrat meddelande", "videresendt besked", "videresendt melding"),
    *("välitetty viesti", "přeposlaná zpráva", "preposlaná správa", "továbbított üzenet", "mesaj redirecționat"),
    *("iletilen mesaj", "yönlendirilen mesaj", "转发的邮件", "转发邮件", "转发的消息", "轉寄的郵件", "轉寄郵件"),
    *("転送メッセージ", "転送されたメッセージ", "전달된 메시지", "전달된 메일", "tin nhắn được chuyển tiếp"),
)
"""Titles of a dividing line, between dashes or followed by a colon."""

REPLY_PREFIXES = (
    *("re", "aw", "antw", "antwort", "sv", "vs", "odp", "rif", "ref", "res", "ynt", "vá", "atb"),
    *("回复", "答复", "回覆", "返信", "답장"),
)
"""What mail programs put before the subject of an answer."""

FORWARD_PREFIXES = (
    *("fw", "fwd", "wg", "tr", "rv", "i", "enc", "doorst", "vb", "vl", "pd", "pdl", "továbbítás", "ilt", "i̇lt"),
    *("转发", "轉寄", "轉發", "転送", "전달", "пересл"),
)
"""What a mail program sets before the subject of a mail that is passed on."""

ABOVE_THIS_LINE = (
    *("type your reply above this line", "write your reply above this line", "reply above this line"),
    *(
        "reply above the line",
        "reply above this delimiter",
        "respond above this line",
        "oberhalb dieser linie antworten",
    ),
    *("antworten sie oberhalb dieser linie", "antworten sie oberhalb dieser zeile", "über dieser zeile"),
    *("oberhalb dieser zeile", "au-dessus de cette ligne", "por encima de esta línea", "encima de esta línea"),
    *(
        "sopra questa riga",
        "boven deze regel",
        "boven deze lijn",
        "acima desta linha",
        "powyżej tej linii",
        "この行より上",
        "请在此行上方",
    ),
)
"""What a ticket system writes above the mail it wants answered."""

SENT_FROM = (
    *(
        "sent from my ",
        "sent from mail for",
        "sent from outlook",
        "sent from yahoo mail",
        "sent from samsung",
        "sent from proton",
    ),
    *("sent via ", "sent with ", "get outlook for", "sent on the move"),
    *(
        "von meinem ",
        "gesendet von ",
        "gesendet mit ",
        "diese nachricht wurde von meinem ",
        "holen sie sich outlook",
        "outlook für ",
    ),
    *("envoyé de mon ", "envoyé depuis ", "envoyé à partir de ", "télécharger outlook", "obtenez outlook"),
    *(
        "enviado desde mi ",
        "enviado desde ",
        "obtener outlook",
        "enviado do meu ",
        "enviado de meu ",
        "obter o outlook",
    ),
    *("inviato da ", "inviato dal mio ", "ottieni outlook", "scarica outlook"),
    *(
        "verzonden vanaf ",
        "verstuurd vanaf ",
        "outlook voor ",
        "skickat från ",
        "sendt fra ",
        "lähetetty ",
        "wysłane z ",
    ),
    *("wysłano z ", "отправлено с ", "отправлено из ", "odesláno z ", "odoslané z ", "iphone'umdan", "iphone'dan"),
    *("发自我的", "发自", "從我的", "从我的", "iphoneから", "androidから", "나의 iphone", "내 iphone"),
)
DEVICES = (
    *(
        "iphone",
        "ipad",
        "ipod",
        "android",
        "galaxy",
        "samsung",
        "pixel",
        "huawei",
        "xiaomi",
        "oneplus",
        "nokia",
        "blackberry",
    ),
    *(
        "handy",
        "mobile",
        "mobil",
        "smartphone",
        "phone",
        "telefon",
        "téléphone",
        "móvil",
        "celular",
        "tablet",
        "outlook",
        "windows",
    ),
    *("yahoo", "proton", "gmail", "mail app", "mail-app", "手机", "手機", "move", "ios"),
)
"""Lines that phones and apps add below a mail: they begin with one of the first and name one of the second."""

AUTOMATIC = (
    *(
        "automatic reply",
        "auto reply",
        "auto-reply",
        "autoreply",
        "automatic response",
        "auto response",
        "auto-response",
    ),
    *("autoresponse", "auto", "out of office autoreply"),  # en
    *("automatische antwort", "automatische rückmeldung", "abwesenheitsnotiz", "abwesenheitsmeldung"),
    *("abwesenheitsnachricht", "autoantwort"),  # de
    *("réponse automatique", "reponse automatique", "message d'absence"),  # fr
    *("respuesta automática", "respuesta automatica"),  # es
    *("risposta automatica",),  # it
    *("automatisch antwoord", "afwezigheidsbericht", "automatische reactie"),  # nl
    *("resposta automática", "resposta automatica"),  # pt
    *("automatyczna odpowiedź", "autoodpowiedź", "odpowiedź automatyczna"),  # pl
    *("автоответ", "автоматический ответ", "автоматична відповідь"),  # ru uk
    *("automatiskt svar", "autosvar", "automatisk svar", "automatisk besvarelse", "frånvaromeddelande"),  # sv da nb
    *("automaattinen vastaus", "poissaoloviesti"),  # fi
    *("automatická odpověď", "automatická odpoveď", "automatikus válasz", "răspuns automat"),  # cs sk hu ro
    *("otomatik yanıt", "otomatik cevap"),  # tr
    *("自动回复", "自動回覆", "自動回復", "自动答复"),  # zh
    *("自動応答", "自動返信"),  # ja
    *("자동 회신", "자동회신", "자동 응답", "자동응답"),  # ko
)
AWAY = (
    *(
        "out of office",
        "out of the office",
        "out-of-office",
        "vacation",
        "on vacation",
        "on leave",
        "annual leave",
        "ooo",
    ),
    *("abwesenheit", "abwesend", "nicht im büro", "im urlaub"),
    *(
        "absence du bureau",
        "absent du bureau",
        "absent",
        "absence",
        "fuera de la oficina",
        "fuera de oficina",
        "ausente",
    ),
    *("fuori sede", "fuori ufficio", "assente", "afwezig", "afwezigheid", "fora do escritório", "ausência temporária"),
    *("poza biurem", "nieobecność", "отсутствие на рабочем месте", "вне офиса", "frånvaro", "fravær", "poissa"),
    *("mimo kancelář", "ofis dışında", "不在办公室", "不在辦公室", "外出", "不在通知", "不在", "休暇中", "부재중"),
)
"""Subjects of automatic answers: the phrase begins the subject and a colon, its end or a date follows."""

UNTIL = (
    "until",
    "till",
    "through",
    "from",
    "bis",
    "vom",
    "ab",
    "jusqu",
    "du",
    "hasta",
    "del",
    "fino",
    "dal",
    "tot",
    "t/m",
    "até",
    "do",
    "до",
    "с",
)
"""Words after which an absence notes its dates."""

UNDELIVERED = (
    *("undeliver", "not deliver", "couldn't be delivered", "could not be delivered", "delivery status notification"),
    *("delivery fail", "delivery has failed", "delivery problem", "delivery error", "delivery subsystem"),
    *(
        "failure notice",
        "returned mail",
        "returned to sender",
        "returning message",
        "mail system error",
        "non[- ]?deliver",
    ),
    *("unzustellbar", "nicht zugestellt", "non remis", "échec de la remise", "no se puede entregar", "no entregado"),
    *("mancato recapito", "onbestelbaar", "não entregue", "nie dostarczon", "недоставлен", "не доставлен"),
    *("配信不能", "送信できません", "退信", "投递失败", "无法投递", "배달되지"),
)
"""Subjects of mail servers that could not deliver (regular expressions)."""

DELAYED = ("delay", "warning", "verzöger", "retard", "still undelivered", "not yet been delivered", "遅延", "延迟")
"""Subjects of mail servers that go on trying."""
