"""Phrases that identify automated email and delivery reports, by language.

Data only; used by ``automated`` and ``bounce``. To add a language, add a line. Entries are regular expressions where noted.
"""

# ruff: noqa: RUF001  (word lists contain letters of many alphabets)

from __future__ import annotations

AUTOMATIC = (
    *("automatic reply", "auto reply", "auto-reply", "autoreply", "automatic response", "auto response", "auto-response"),
    *("autoresponse", "auto", "out of office autoreply"),  # en
    *("automatische antwort", "automatische rückmeldung", "abwesenheitsnotiz", "abwesenheitsmeldung", "abwesenheitsnachricht"),
    "autoantwort",  # de
    *("réponse automatique", "reponse automatique", "message d'absence"),  # fr
    *("respuesta automática", "respuesta automatica"),  # es
    "risposta automatica",  # it
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
    *("out of office", "out of the office", "out-of-office", "vacation", "on vacation", "on leave", "annual leave", "ooo"),
    *("abwesenheit", "abwesend", "nicht im büro", "im urlaub", "absence du bureau", "absent du bureau", "absent", "absence"),
    *("fuera de la oficina", "fuera de oficina", "ausente", "fuori sede", "fuori ufficio", "assente", "afwezig", "afwezigheid"),
    *("fora do escritório", "ausência temporária", "poza biurem", "nieobecność", "отсутствие на рабочем месте", "вне офиса"),
    *("frånvaro", "fravær", "poissa", "mimo kancelář", "ofis dışında", "不在办公室", "不在辦公室", "外出", "不在のお知らせ"),
    *("不在通知", "不在", "休暇中", "부재중"),
)
"""Subjects of automatic replies: the subject begins with the phrase, followed by a colon, its end, or a date."""

UNTIL = (
    *("until", "till", "through", "from", "bis", "vom", "ab", "jusqu", "du", "hasta", "del", "fino", "dal", "tot", "t/m", "até"),
    *("do", "до", "с"),
)
"""Words that introduce the dates of an absence."""

CHALLENGE = (
    r"(?:prove|verify|confirm)\b[^.\n]{0,60}(?:you are (?:a )?(?:human|person|real)|real person|not a (?:robot|spammer|machine))",
    r"(?:e-?mail|message)\b[^.\n]{0,60}(?:\bheld\b|quarantine|not (?:yet )?been delivered|waiting for)",
    r"click[^.\n]{0,60}(?:to (?:deliver|release|confirm|verify)|so that your (?:e-?mail|message))",
    r"(?:simply |just )?repl(?:y|ying) to this (?:message|e-?mail)\b|without changing the subject",
    r"to (?:have|get) your (?:message|e-?mail) delivered|unwanted (?:e-?)?mail|stop spam|junk mail protection|sender verification",
    r"spam ?arrest|boxbe|tagged message delivery agent|challenge[-/ ]response",
    r"(?:bestätigen|klicken) sie\b[^.\n]{0,80}(?:ein mensch|zugestellt|absender)",
    r"(?:confirme[rz]?|cliquez)\b[^.\n]{0,80}(?:expéditeur|être humain|remis|délivr)",
    r"(?:confirme|haga clic)\b[^.\n]{0,80}(?:remitente|humano|entregad)",
)
"""Phrases of systems that deliver a message only after its sender proves to be a person (regular expressions)."""

ABSENT = (
    r"\bI(?:'m| am|'ll be| will be)\b[^\n]{0,40}(?:out of (?:the |my )?office|away|travell?ing|unavailable|not in the office)",
    r"\bI(?:'m| am|'ll be| will be)\b[^\n]{0,20}on (?:annual |parental |sick |maternity )?(?:leave|vacation|holiday)",
    r"(?:our|the) (?:office|company|team)s? (?:is|are|will be) (?:currently )?closed|without access to (?:my )?e-?mail",
    r"(?:limited|no) access to (?:my )?e-?mails?|I (?:will )?(?:return|be back|am back)\b|upon my return|when I (?:return|am back)",
    r"\bich (?:bin|werde|befinde)\b[^\n]{0,60}nicht (?:im (?:büro|haus)|erreichbar|am platz)",
    r"\bich (?:bin|werde|befinde)\b[^\n]{0,60}(?:im urlaub|abwesend|außer haus|unterwegs)",
    r"(?:bin|befinde) ich\b[^\n]{0,60}(?:nicht (?:im büro|erreichbar)|urlaub|abwesend)|(?:ab dem|bin ab) [^\n]{0,30} wieder",
    r"je (?:suis|serai)\b[^\n]{0,40}(?:absent|en (?:congés?|vacances|déplacement)|indisponible)|de retour (?:le|au bureau)",
    r"(?:estoy|estaré|me encuentro|no estaré)\b[^\n]{0,40}(?:fuera|ausente|de vacaciones|en la oficina|disponible)",
    r"(?:sono|sarò)\b[^\n]{0,40}(?:fuori (?:sede|ufficio)|assente|in (?:ferie|vacanza))|al mio rientro",
    r"\bik (?:ben|zal)\b[^\n]{0,40}(?:afwezig|niet (?:op kantoor|aanwezig|bereikbaar)|met (?:vakantie|verlof))",
    r"(?:estou|estarei|encontro-me)\b[^\n]{0,40}(?:fora|ausente|de (?:férias|licença))|no meu (?:regresso|retorno)",
    r"(?:jestem|będę|przebywam)\b[^\n]{0,40}(?:poza biurem|nieobecn|na urlopie|niedostępn)",
    r"(?:меня (?:нет|не будет)|я (?:нахожусь|буду|в)|нахожусь)\b[^\n]{0,40}(?:офис|отпуск|отсутств|командировк)",
    r"(?:jag|jeg) (?:är|er|kommer|vil)\b[^\n]{0,40}(?:(?:inte|ikke) på kontoret|semester|ferie|ledig|frånvarande|tjänsteresa)",
    r"\bolen\b[^\n]{0,40}(?:poissa|lomalla|matkoilla)|(?:jsem|budu)\b[^\n]{0,40}(?:mimo kancelář|na dovolené|nepřítom)",
    r"(?:szabadságon|házon kívül) (?:vagyok|leszek)|nu sunt (?:la birou|disponibil)|(?:sunt|voi fi) (?:în concediu|plecat)",
    r"(?:ofis dışında|izinde|yıllık izinde|tatilde)(?:yim|yım| olacağım)?|λείπω|εκτός γραφείου|(?:у відпустці|не в офісі)",
    r"休暇(?:を|中|の)|不在にして|不在のため|(?:外出|出張)(?:中|して)|(?:我)?(?:正在|目前|现在|現在)?(?:休假|出差|外出|不在办公室|不在辦公室|休年假)",
    r"(?:휴가|출장|외근|부재) ?(?:중|입니다|으로)|자리를 비",
)
"""First-person statements in out-of-office notes (regular expressions)."""

READ = (
    *("read", "not read", "gelesen", "ungelesen", "nicht gelesen", "lu", "non lu", "leído", "no leído", "letto", "non letto"),
    *("gelezen", "niet gelezen", "lida", "lido", "przeczytane", "odczytano", "прочитано", "läst", "læst", "lest", "luettu"),
    *("okundu", "přečteno", "已读", "已讀", "開封済み", "읽음", "return receipt", "read receipt", "lesebestätigung"),
    *("disposition notification", "accusé de réception", "confirmación de lectura", "conferma di lettura", "leesbevestiging"),
)
"""Prefixes of the subject of a receipt (RFC 8098 §3), followed by a colon, the end, or a bracket."""

WAS_READ = (
    r"(?:your message|return receipt)\b(?s:.){0,400}(?:was|has been) (?:read|displayed|opened|deleted)",
    r"this is a (?:return|read) receipt",
    r"ihre nachricht\b(?s:.){0,400}(?:gelesen|angezeigt|gelöscht)|lesebestätigung für|empfangsbestätigung für",
    r"votre message\b(?s:.){0,400}a été (?:lu|affiché|ouvert)|accusé de (?:réception|lecture)",
    r"(?:su|tu) mensaje\b(?s:.){0,400}(?:leído|mostrado)|il (?:suo |tuo )?messaggio\b(?s:.){0,400}(?:letto|visualizzato)",
    r"uw bericht\b(?s:.){0,400}gelezen|a sua mensagem\b(?s:.){0,400}lida|wiadomość\b(?s:.){0,400}(?:przeczytan|odczytan)",
    r"сообщение\b(?s:.){0,400}прочитано|(?:已读回执|已讀回條|開封確認|开封|수신 확인)",
)
"""Statements about our message in a receipt (regular expressions)."""

ACKNOWLEDGED = (
    r"\b(?:a|the|new|your) (?:ticket|case)\b[^.\n]{0,30}\b(?:has been|was|is) (?:\w+ly )?(?:created|opened|assigned|logged)",
    r"\byour (?:support )?(?:ticket|case|request|inquiry|message|e-?mail)\b[^.\n]{0,80}\b(?:received|created|opened|assigned)\b",
    r"\bwe(?:'ve| have)? (?:\w+ly )?received your (?:\w+ )?(?:ticket|case|request|enquiry|inquiry|message|e-?mail)",
    r"\bihre (?:anfrage|nachricht|e-mail|meldung)\b[^.\n]{0,80}(?:erhalten|eingegangen|erstellt|registriert|eröffnet|erfasst)",
    r"votre (?:demande|message|ticket)\b[^.\n]{0,80}(?:reçue?|enregistrée?|créée?|prise? en compte)",
    r"(?:su|tu) (?:solicitud|mensaje|consulta|ticket|caso)\b[^.\n]{0,80}(?:recibid|registrad|cread)",
    r"(?:la (?:sua|tua) )?(?:richiesta|segnalazione)\b[^.\n]{0,80}(?:ricevuta|registrata|presa in carico)",
    r"uw (?:vraag|verzoek|bericht|melding|ticket)\b[^.\n]{0,80}(?:ontvangen|geregistreerd|aangemaakt)",
    r"(?:sua|seu) (?:solicitação|mensagem|chamado|pedido)\b[^.\n]{0,80}(?:recebid|registrad|criad|abert)",
    r"(?:twoje|państwa) (?:zgłoszenie|wiadomość)\b[^.\n]{0,80}(?:otrzyman|przyjęt|zarejestrowan|utworzon)",
    r"(?:ваш[ае]? (?:заявка|обращение|запрос|письмо))\b[^.\n]{0,80}(?:получен|зарегистрирован|принят|создан)",
    r"お問い合わせ(?:を|いただ)[^。\n]{0,40}(?:受け付け|受付|ありがとう)|(?:您的|你的)(?:请求|工单|申请|邮件|問題|请求单)[^。\n]{0,30}(?:收到|创建|建立|受理)",
    r"(?:문의|요청)(?:가|이)[^.\n]{0,30}(?:접수|등록)",
)
"""Acknowledgments by other companies' ticket systems (regular expressions)."""

TICKET = (
    *("ticket", "case", "request", "incident", "reference", "tracking", "anfrage", "vorgang", "fall", "demande", "dossier"),
    *("solicitud", "caso", "richiesta", "segnalazione", "melding", "chamado", "protocolo", "zgłoszenie", "zgłoszenia", "заявка"),
    *("заявки", "обращение", "обращения", "お問い合わせ番号", "受付番号", "工单", "工單", "案件", "접수"),
)
"""Names that such a system gives to its ticket number."""

GENERATED = (
    r"(?:automatic(?:ally)?|auto|system|computer)[- ](?:generated|created|sent)",
    r"(?:generated|sent|created)(?: \w+){0,3} automatically",
    r"(?:this is an? |dies ist eine? )?automat(?:ed|ic|ische)\b[^.\n]{0,20}(?:e-?mail|message|notification|nachricht|mitteilung)",
    r"automatisch (?:generiert|erstellt|erzeugt|versendet|gesendet|verzonden|gegenereerd|aangemaakt)",
    r"(?:généré|envoyé|créé)e?s? automatiquement|message automatique|courriel automatique",
    r"(?:generad|enviad)[oa] automáticamente|(?:mensaje|correo) automático|gerad[oa] automaticamente|mensagem automática",
    r"(?:generat|inviat)[oa] (?:automaticamente|in automatico)|messaggio automatico",
    r"wygenerowan\w{0,20} automatycznie|automatycznie wygenerowan|wiadomość automatyczna|wysłan\w{0,20} automatycznie",
    r"(?:создано|отправлено|сформировано) автоматически|автоматическ\w{0,20} (?:письмо|сообщение|уведомление)",
    r"unattended (?:mailbox|e-?mail|address)|from a notification-only|system-generated|diese nachricht wurde automatisch",
    r"otomatik (?:olarak )?(?:oluşturul|gönderil|üretil)",
    r"自動(?:で|的に)?(?:返信|送信|配信|生成)|自动(?:生成|发送|发出)|系统(?:自动|邮件)|자동(?:으로)? ?(?:발송|생성)",
)
"""Statements that no person wrote a notice (regular expressions)."""

MUTE = (
    r"(?:do not|don't|please don't|cannot|never) (?:reply|respond|answer)|no reply (?:is )?(?:needed|required|necessary)",
    r"(?:replies|responses) (?:to this \S+ )?(?:are|will) not (?:be )?(?:monitored|read)|not (?:a )?monitored|unmonitored",
    r"nicht (?:auf diese (?:e-?mail|nachricht|mail) )?(?:zu )?antworten|antworten sie (?:bitte )?nicht",
    r"niet (?:op dit bericht )?te? ?(?:beantwoorden|antwoorden|reageren)",
    r"ne (?:pas |répondez pas|répondre)|no (?:responda|conteste|responder)|não (?:responda|responder)|non rispond",
    r"nie odpowiad|не отвеча|yanıtlamayın|cevaplamayın|yanıtlamayınız|cevap vermeyin",
    r"返信しないで|返信(?:は)?(?:でき|ご遠慮|不要)|(?:请勿|請勿|勿|不要)(?:直接)?(?:回复|回覆|答复)|회신하지|답장하지|발신 ?전용",
)
"""Statements that no one reads the replies (regular expressions)."""

UNDELIVERED = (
    *("undeliver", "not deliver", "couldn't be delivered", "could not be delivered", "delivery status notification"),
    *(r"deliver[yi]\w{0,20} (?:has )?(?:fail|problem|error|subsystem|warning|incomplete|delayed)", "failed (?:mail|delivery)"),
    *("failure notice", "returned mail", "returned to sender", "returning message", "mail (?:system )?error", "non[- ]?deliver"),
    *("automatically rejected mail", "nondeliverable", "message (?:delayed|not delivered)"),  # en
    *("unzustellbar", "nicht zugestellt", "zustellung fehlgeschlagen", "fehler bei der zustellung", "unzugestellt"),  # de
    *("non remis", "non distribu", "échec de la (?:remise|distribution)", "message non délivré", "retour de courrier"),  # fr
    *("no se (?:puede|pudo) entregar", "no entregado", "error de entrega", "fallo en la entrega", "no entregable"),  # es
    *("mancat[oa] (?:recapito|consegna)", "impossibile recapitare", "non recapitabile"),  # it
    *("onbestelbaar", "niet bezorgd", "niet afgeleverd", "bezorging mislukt"),  # nl
    *("não entregue", "falha na entrega", "não foi entregue"),  # pt
    *("nie dostarczon", "niedostarczon", "nie można dostarczyć", "błąd dostarcz"),  # pl
    *("недоставлен", "не доставлен", "ошибка доставки", "не удалось доставить"),  # ru
    *("kunde inte levereras", "kunne ikke leveres", "ikke leveret", "ej levererbart", "ei voitu toimittaa"),  # sv da nb fi
    *("nedoručiteln", "nelze doručit", "kézbesíthetetlen", "nelivrat", "teslim edilemedi"),  # cs hu ro tr
    *("配信不能", "送信できません", "配信できません", "退信", "投递失败", "无法投递", "未送达", "無法傳遞", "傳送失敗"),
    *("배달되지", "전송 실패"),
)
"""Subjects of reports that a message could not be delivered (regular expressions)."""

REPORTED = (
    r"(?:e-?mail|message|mail)\b[^.\n]{0,80}(?:(?:\bnot|n't)(?: yet)? (?:be |been )?|\bun)(?:deliver|reach|sent)",
    r"(?:\bnot|n't|unable to|failed to) (?:be )?deliver\w{0,20}[^.\n]{0,40}(?:mail|message|recipient|address)",
    r"deliver\w{0,20} (?:to|of)\b[^.\n]{0,80}(?:fail|abort|postpon|delay)",
    r"deliver\w{0,20} (?:has |have |to these )?(?:failed|been delayed|error)",
    r"(?:failed|invalid|undeliverable|undelivered)[- ](?:recipient|address)",
    r"following (?:recipient|address|destination)\w{0,20}[^\n]{0,20} (?:fail|had |did not|could not|cannot|was |were )",
    r"(?:not|never) reach the following|has been postponed",
    r"non-?delivery (?:report|notif)",
    r"(?:returned mail|message returned|permanent (?:fatal )?error|was automatically rejected|this is an advisory-only email)",
    r"(?:konnte|kann|wurden?)\b[^.\n]{0,80}nicht (?:zugestellt|übermittelt|ausgeliefert|gesendet)",  # de
    r"n'a (?:pas )?(?:pu|été)\b[^.\n]{0,20}(?:remis|d[ée]livr|distribu|transmis|achemin)",  # fr
    r"no (?:se )?(?:ha |pudo |puede |fue )[^.\n]{0,20}entrega",  # es
    r"(?:non (?:è stat[oa]|può essere)|impossibile)\b[^.\n]{0,20}(?:recapita|consegna)",  # it
    r"(?:niet|kon)\b[^.\n]{0,30}(?:bezorgd|afgeleverd)",  # nl
    r"não (?:pôde|pode|foi)\b[^.\n]{0,20}entreg",  # pt
    r"nie (?:można|mogła|została|udało)\b[^.\n]{0,40}(?:dostarcz|doręcz)",  # pl
    r"не (?:может|было|удалось|доставлен)[^.\n]{0,40}(?:достав|письм|сообщени)",  # ru
    r"(?:kunde inte|kunne ikke|kunde ej) levere",  # sv da nb
    r"teslim edilem",  # tr
    r"配信(?:でき|不能)|配送でき(?:ません|ない)|お届けでき",  # ja
    r"(?:无法|未能)(?:投递|送达|发送)|無法(?:投遞|送達|傳送|傳遞)|被退回",  # zh
    r"(?:전달|배달|전송)(?:되지|하지|할 수)",  # ko
)
"""Opening sentences of delivery reports (regular expressions)."""

DELAYED = ("delay", "warning", "verzöger", "retard", "still undelivered", "not yet been delivered", "遅延", "延迟", "延遲")
"""Subjects of reports that delivery is still being tried (regular expressions)."""

TRYING = (
    r"will (?:continue|keep|be retried|go on|try again|still)[^.\n]{0,40}",
    r"attempts? will continue|has been postponed|not yet been delivered|do not need to resend|still (?:being )?(?:trying|tried)",
    r"wird (?:weiterhin|weiter|erneut) versucht|weitere zustellversuche|de nouvelles tentatives|se seguirá intentando",
    r"verranno effettuati (?:altri|ulteriori) tentativi|再送|继续尝试|繼續嘗試",
)
"""Sentences in a report that delivery is still being tried (regular expressions)."""

GOODS = (
    r"\b(?:parcels?|packages?|shipments?|courier|carrier|paket|sendung|colis|paquete|envío|pacco|pakket|encomenda|przesyłk\w|paczk\w)\b",
    r"посылк|\b(?:paketet|pakken|paketti|zásilk\w|kargo)\b|荷物|包裹|택배",
)
"""Words for goods in shipment: people who write about these do not report a failed email."""
