"""Phrases in reports that a message was not, or not yet, delivered, by language.

Data only, regular expressions; used by ``bounce``. To add a language, add a line.
"""

from __future__ import annotations

UNDELIVERED = (
    *("undeliver", "not deliver", "couldn't be delivered", "could not be delivered", "delivery status notification"),
    *(r"deliver[yi]\w{0,20} (?:has )?(?:fail|problem|error|subsystem|warning|incomplete|delayed)",),
    *("failed (?:mail|delivery)",),
    *("failure notice", "returned mail", "returned to sender", "returning message", "mail (?:system )?error"),
    *("non[- ]?deliver", "automatically rejected mail", "nondeliverable", "message (?:delayed|not delivered)"),  # en
    *("unzustellbar", "nicht zugestellt", "zustellung fehlgeschlagen", "fehler bei der zustellung"),
    *("unzugestellt",),  # de
    *("non remis", "non distribu", "échec de la (?:remise|distribution)", "message non délivré"),
    *("retour de courrier",),  # fr
    *("no se (?:puede|pudo) entregar", "no entregado", "error de entrega", "fallo en la entrega"),
    *("no entregable",),  # es
    *("mancat[oa] (?:recapito|consegna)", "impossibile recapitare", "non recapitabile"),  # it
    *("onbestelbaar", "niet bezorgd", "niet afgeleverd", "bezorging mislukt"),  # nl
    *("não entregue", "falha na entrega", "não foi entregue"),  # pt
    *("nie dostarczon", "niedostarczon", "nie można dostarczyć", "błąd dostarcz"),  # pl
    *("недоставлен", "не доставлен", "ошибка доставки", "не удалось доставить"),  # ru
    *("kunde inte levereras", "kunne ikke leveres", "ikke leveret", "ej levererbart", "ei voitu toimittaa"),  # sv da nb fi
    *("nedoručiteln", "nelze doručit", "kézbesíthetetlen", "nelivrat", "teslim edilemedi"),  # cs hu ro tr
    *(
        "配信不能",
        "送信できません",
        "配信できません",
        "退信",
        "投递失败",
        "无法投递",
        "未送达",
        "無法傳遞",
        "傳送失敗",
        "배달되지",
        "전송 실패",
    ),
)
"""Subjects of reports that a message could not be delivered."""

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
"""Opening sentences of delivery reports."""

DELAYED = ("delay", "warning", "verzöger", "retard", "still undelivered", "not yet been delivered", "遅延", "延迟", "延遲")
"""Subjects of reports that delivery is still being tried."""

TRYING = (
    r"will (?:continue|keep|be retried|go on|try again|still)[^.\n]{0,40}",
    r"attempts? will continue|has been postponed|not yet been delivered|do not need to resend|still (?:being )?(?:trying|tried)",
    r"wird (?:weiterhin|weiter|erneut) versucht|weitere zustellversuche|de nouvelles tentatives|se seguirá intentando",
    r"verranno effettuati (?:altri|ulteriori) tentativi|再送|继续尝试|繼續嘗試",
)
"""Sentences in a report that delivery is still being tried."""

GOODS = (
    r"\b(?:parcels?|packages?|shipments?|courier|carrier|paket|sendung|colis|paquete|envío|pacco|pakket|encomenda|przesyłk\w|paczk\w)\b",
    r"посылк|\b(?:paketet|pakken|paketti|zásilk\w|kargo)\b|荷物|包裹|택배",
)
"""Words for goods in shipment: people who write about these do not report a failed email."""
