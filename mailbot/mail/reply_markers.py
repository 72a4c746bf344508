"""Words with which mail programs mark quoted and forwarded text, by language.

To add a language, add a line. Phrases of automated email are in ``automated_phrases``.
"""

# ruff: noqa: RUF001  (word lists contain letters of many alphabets)

from __future__ import annotations

import re
from collections.abc import Iterable

COLONS = ":："
DASHES = "-—–_=*~<>"
QUOTES = (">", "＞")
"""Characters that exist in more than one width."""

WROTE = (
    *("wrote", "writes", "said"),  # en
    *("schrieb", "geschrieben"),  # de
    *("a écrit", "a ecrit", "écrit", "écrivait"),  # fr
    *("escribió", "escribio", "ha escrito"),  # es
    *("ha scritto", "scrive"),  # it
    *("schreef", "geschreven"),  # nl
    "escreveu",  # pt
    *("napisał", "napisała", "napisał(a)", "pisze"),  # pl
    *("написал", "написала", "написал(а)", "пишет", "писал(а)"),  # ru
    *("написав", "написала", "пише"),  # uk
    "skrev",  # sv da nb
    "kirjoitti",  # fi
    *("napsal", "napsala", "napsal(a)", "napísal", "napísal(a)"),  # cs sk
    "írta",  # hu
    "a scris",  # ro
    *("yazdı", "şunları yazdı", "şunu yazdı"),  # tr
    "έγραψε",  # el
    *("je napisao", "je napisala", "je napisao/la"),  # hr sr
    "đã viết",  # vi
    "menulis",  # id
    *("写道", "寫道", "写了", "写到"),  # zh
    *("さんは書きました", "のメール", "からのメール", "が書きました"),  # ja
    *("작성", "님이 작성", "님이 쓴 글", "썼습니다"),  # ko
)
"""The verb of an attribution line ("On Monday, Kim wrote:")."""

BEGINS = (
    *("on ", "at ", "am ", "le ", "el ", "il ", "op ", "em ", "w dniu ", "dnia ", "den ", "dne ", "dňa ", "pe ", "în ", "в "),
    *("vào ", "в ", "на ", "στις ", "u ", "pada ", "在", "于", "於", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "pon", "wt"),
    *("śr", "czw", "pt", "sob", "niedz", "пн", "вт", "ср", "чт", "пт", "сб", "вс", "po ", "út", "st ", "čt", "pá", "so ", "ne "),
    *("ma ", "ti ", "ke ", "to "),
)
"""Beginnings of an attribution that spans several lines, besides a digit."""

FROM = (
    *("from", "von", "de", "da", "van", "od", "från", "fra", "lähettäjä", "от", "від", "feladó", "de la", "kimden", "από"),
    *("gönderen", "expéditeur", "remitente", "mittente", "发件人", "寄件者", "寄件人", "差出人", "送信者", "보낸 사람"),
    *("보낸사람", "từ", "dari"),
)
SENT = (
    *("sent", "date", "gesendet", "datum", "envoyé", "envoyé le", "enviado", "enviado el", "enviado em", "enviada em", "fecha"),
    *("data", "inviato", "verzonden", "wysłano", "wysłane", "skickat", "sendt", "dato", "lähetetty", "päivämäärä", "отправлено"),
    *("дата", "надіслано", "odesláno", "odoslané", "dátum", "küldve", "elküldve", "trimis", "gönderildi", "tarih"),
    *("gönderme tarihi", "στάλθηκε", "发送时间", "日期", "寄件日期", "傳送時間", "送信日時", "日時", "日付", "보낸 날짜", "날짜"),
    *("보낸 시간", "đã gửi", "ngày"),
)
TO = (
    *("to", "an", "à", "pour", "para", "a", "aan", "till", "til", "kime", "alıcı", "do", "dla", "komu", "pro", "címzett", "către"),
    *("vastaanottaja", "кому", "προς", "收件人", "收件者", "宛先", "받는 사람", "받는사람", "đến", "kepada"),
)
SUBJECT = (
    *("subject", "betreff", "objet", "asunto", "oggetto", "onderwerp", "assunto", "temat", "ämne", "emne", "aihe", "тема"),
    *("předmět", "predmet", "tárgy", "subiect", "konu", "θέμα", "主题", "主題", "主旨", "件名", "제목", "chủ đề", "subjek"),
)
"""Labels of the header block that Outlook and others write above a quoted message."""

ORIGINAL = (
    *("original", "origineel bericht", "mesaj original", "original-nachricht", "original-mail", "oprindelig besked"),
    *("antwort nachricht", "message initial", "mensaje de origen", "messaggio di origine", "bericht origineel", "原始信件"),
    *("原始訊息", "原始消息", "邮件原件", "originální zpráva", "eredeti levél", "poruka izvorna", "tin nhắn gốc"),
    *("original message", "original email", "ursprüngliche nachricht", "originalnachricht", "message d'origine"),
    *("message original", "mensaje original", "messaggio originale", "oorspronkelijk bericht", "mensagem original"),
    *("oryginalna wiadomość", "wiadomość oryginalna", "исходное сообщение", "оригинальное сообщение", "původní zpráva"),
    *("pôvodná správa", "eredeti üzenet", "opprinnelig melding", "original meddelelse", "oprindelig meddelelse"),
    *("ursprungligt meddelande", "originalmeddelande", "alkuperäinen viesti", "mesaj original", "orijinal mesaj", "özgün ileti"),
    *("αρχικό μήνυμα", "原始邮件", "原始郵件", "原邮件", "元のメッセージ", "オリジナルメッセージ", "オリジナル メッセージ"),
    *("원본 메시지", "원본 메일", "원본메일", "reply message", "replied message", "回复的原邮件"),
)
FORWARDED = (
    *("forwarded message", "begin forwarded message", "weitergeleitete nachricht", "anfang der weitergeleiteten nachricht"),
    *("forwarded by", "message transféré", "message transmis", "début du message transféré", "début du message réexpédié"),
    *("mensaje reenviado", "inicio del mensaje reenviado", "messaggio inoltrato", "inizio messaggio inoltrato"),
    *("doorgestuurd bericht", "begin doorgestuurd bericht", "mensagem encaminhada", "mensagem reencaminhada"),
    *("início da mensagem encaminhada", "przekazana wiadomość", "wiadomość przekazana", "пересылаемое сообщение"),
    *("пересланное сообщение", "vidarebefordrat meddelande", "videresendt besked", "videresendt melding", "välitetty viesti"),
    *("přeposlaná zpráva", "preposlaná správa", "továbbított üzenet", "mesaj redirecționat", "iletilen mesaj"),
    *("yönlendirilen mesaj", "转发的邮件", "转发邮件", "转发的消息", "轉寄的郵件", "轉寄郵件", "転送メッセージ"),
    *("転送されたメッセージ", "전달된 메시지", "전달된 메일", "tin nhắn được chuyển tiếp"),
)
"""Titles of a dividing line, between dashes or followed by a colon."""

REPLY_PREFIXES = (
    *("re", "aw", "antw", "antwort", "sv", "vs", "odp", "rif", "ref", "res", "ynt", "vá", "atb", "回复", "答复", "回覆", "返信"),
    "답장",
)
"""Prefixes of the subject of a reply."""

FORWARD_PREFIXES = (
    *("fw", "fwd", "wg", "tr", "rv", "i", "enc", "doorst", "vb", "vl", "pd", "pdl", "továbbítás", "ilt", "i̇lt", "转发", "轉寄"),
    *("轉發", "転送", "전달", "пересл"),
)
"""Prefixes of the subject of a forwarded message."""

ABOVE_THIS_LINE = (
    *("original message processed by", "please do not type below this line", "type your reply above this line"),
    *("write your reply above this line", "reply above this line", "reply above the line", "reply above this delimiter"),
    *("respond above this line", "oberhalb dieser linie antworten", "antworten sie oberhalb dieser linie"),
    *("antworten sie oberhalb dieser zeile", "über dieser zeile", "oberhalb dieser zeile", "au-dessus de cette ligne"),
    *("por encima de esta línea", "encima de esta línea", "sopra questa riga", "boven deze regel", "boven deze lijn"),
    *("acima desta linha", "powyżej tej linii", "この行より上", "请在此行上方"),
)
"""Lines that a ticket system writes above the message it wants a reply to."""

SENT_FROM = (
    *("sent from my ", "sent from mail for", "sent from outlook", "sent from yahoo mail", "sent from samsung", "sent from proton"),
    *("sent via ", "sent with ", "get outlook for", "sent on the move", "von meinem ", "gesendet von ", "gesendet mit "),
    *("diese nachricht wurde von meinem ", "holen sie sich outlook", "outlook für ", "envoyé de mon ", "envoyé depuis "),
    *("envoyé à partir de ", "télécharger outlook", "obtenez outlook", "enviado desde mi ", "enviado desde ", "obtener outlook"),
    *("enviado do meu ", "enviado de meu ", "obter o outlook", "inviato da ", "inviato dal mio ", "ottieni outlook"),
    *("scarica outlook", "verzonden vanaf ", "verstuurd vanaf ", "outlook voor ", "skickat från ", "sendt fra ", "lähetetty "),
    *("wysłane z ", "wysłano z ", "отправлено с ", "отправлено из ", "odesláno z ", "odoslané z ", "iphone'umdan", "iphone'dan"),
    *("发自我的", "发自", "從我的", "从我的", "iphoneから", "androidから", "나의 iphone", "내 iphone"),
)
DEVICES = (
    *("iphone", "ipad", "ipod", "android", "galaxy", "samsung", "pixel", "huawei", "xiaomi", "oneplus", "nokia", "blackberry"),
    *("handy", "mobile", "mobil", "smartphone", "phone", "telefon", "téléphone", "móvil", "celular", "tablet", "outlook"),
    *("windows", "yahoo", "proton", "gmail", "mail app", "mail-app", "手机", "手機", "move", "ios"),
)
"""Lines that phones and apps add below a message begin with one of the first and name one of the second."""

DISCLAIMERS = (
    *("confidentiality notice", "confidentiality note", "disclaimer", "legal notice", "privileged and confidential"),
    *("this e-mail and any", "this email and any", "this e-mail, including", "this email, including", "this message and any"),
    *("this message may contain", "this message contains", "this mail may contain", "any unauthori", "unauthori"),
    *("this communication", "this message is intended", "this e-mail is intended", "this email is intended"),
    *("the information contained in this", "the information in this e", "the contents of this e", "this e-mail may contain"),
    *("this email may contain", "this e-mail contains confidential", "this email contains confidential"),
    *("this message contains confidential", "please consider the environment", "if you are not the intended recipient"),
    "if you have received this",  # en
    *("diese e-mail enthält", "diese e-mail kann", "diese nachricht ist", "der inhalt dieser e-mail", "vertraulichkeitshinweis"),
    *("diese e-mail und", "diese mail enthält", "bitte denken sie an die umwelt"),  # de
    *("ce message et", "ce message est confidentiel", "ce courriel", "ce mail et", "pensez à l'environnement"),  # fr
    *("este mensaje y", "este mensaje se dirige", "este correo electrónico", "este mensaje va dirigido", "aviso legal"),  # es
    *("questo messaggio e", "il presente messaggio", "le informazioni contenute", "questa e-mail", "ai sensi del"),  # it
    *("dit bericht is", "de informatie in dit", "dit e-mailbericht", "deze e-mail en"),  # nl
    *("esta mensagem e", "esta mensagem pode", "este e-mail", "esta mensagem, incluindo"),  # pt
    *("ta wiadomość", "niniejsza wiadomość", "informacje zawarte w tej"),  # pl
    *("данное сообщение", "это сообщение и", "настоящее сообщение", "информация, содержащаяся"),  # ru
    *("detta meddelande", "denne e-mail", "denne e-post", "tämä viesti"),  # sv da nb fi
    *("bu e-posta", "bu mesaj"),  # tr
    *("本邮件", "本郵件", "此电子邮件", "此郵件", "この電子メール", "本メール", "このメールには", "본 메일", "이 메일은"),
)
"""Beginnings of the paragraphs that a company's server appends to a message."""


def alternatives(words: Iterable[str]) -> str:
    """Return a regular expression that matches any of the words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


REPLY_SUBJECT = re.compile(rf"\s*(?:{alternatives(REPLY_PREFIXES)})\s?[{COLONS}]", re.IGNORECASE)
FORWARD_SUBJECT = re.compile(rf"\s*\[?(?:{alternatives(FORWARD_PREFIXES)})\s?[{COLONS}]", re.IGNORECASE)
