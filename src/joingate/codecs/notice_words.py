# ruff: noqa: RUF001 - Chinese punctuation and the apostrophe are meant
"""What a notice says to a person, in each language on offer. Plain text; `{place}` and `{until}` are filled in.

The tone is that of a clerk who did not make the rule and does not argue for it: what happened, who asked for it, what
became of the reader's data, what the reader can do. Nothing here calls a restriction neutral or the reader at fault.
"""

from dataclasses import dataclass

from joingate.codecs.negotiation import Language


@dataclass(frozen=True, slots=True)
class Words:
    """One language. Headings and labels are phrases, the rest are sentences.

    Attributes:
        order_title: RFC 9457 title of every legal order; the same for each occurrence.
        host_title: likewise of every host policy.
    """

    order_title: str
    order_detail: str
    host_title: str
    host_detail: str
    host_detail_unknown: str

    order_kind: str
    host_kind: str
    not_let_in: str
    removed: str
    order_lead: str
    host_lead: str
    host_lead_unknown: str
    goes_on: str

    authority: str
    legal_basis: str
    order_id: str
    territory: str
    until: str
    located_as: str
    unknown: str
    restricted_by: str
    the_host: str
    policy_id: str
    allow: str
    deny: str

    data: str
    data_kept: str
    data_kept_inside: str
    data_care: str
    actions: str
    read_order: str
    contact: str
    no_ban: str
    not_there: str
    not_there_why: str
    not_there_unknown: str
    not_there_unknown_why: str
    receipt: str
    receipt_use: str
    promise: str
    promise_use: str
    not_ours: str
    no_order: str
    same_answer: str
    about: str


_ENGLISH = Words(
    order_title="A legal order restricts where this meeting can be joined from",
    order_detail=(
        "A legal order keeps connections located in {place} out of this meeting until {until}. "
        "The meeting is not ended: it goes on for everyone else."
    ),
    host_title="The host restricts where this meeting can be joined from",
    host_detail=(
        "The host of this meeting does not admit connections located in {place}. "
        "The meeting is not ended: it goes on for everyone else."
    ),
    host_detail_unknown=(
        "The host of this meeting does not admit connections whose location is unknown. "
        "The meeting is not ended: it goes on for everyone else."
    ),
    order_kind="Legal order",
    host_kind="Host policy",
    not_let_in="You were not let into this meeting",
    removed="You were removed from this meeting",
    order_lead="A legal order requires this service to keep out connections located in {place}.",
    host_lead="The host of this meeting does not admit connections located in {place}.",
    host_lead_unknown="The host of this meeting does not admit connections whose location is unknown.",
    goes_on="The meeting is not ended. It goes on for everyone else, and nobody’s account is affected.",
    authority="Demanded by",
    legal_basis="Legal basis",
    order_id="Order",
    territory="Applies to connections from",
    until="In force until",
    located_as="Yours was located in",
    unknown="Unknown",
    restricted_by="Decided by",
    the_host="The host of the meeting",
    policy_id="Policy",
    allow="Admits connections from",
    deny="Keeps out connections from",
    data="What was done with your data",
    data_kept=(
        "The gate looked up, in a database of its own, where the network you connect from is. It did not store your "
        "IP address or send it to anyone. It recorded that somebody was restricted by this rule, where they were "
        "located and in which hour, and nothing that names you."
    ),
    data_kept_inside=(
        "The gate looked up, in a database of its own, where the network you connect from is. It did not store your "
        "IP address; while you were in the meeting it passed it to the meeting service, as for everyone there, and to "
        "nobody else. It recorded that somebody was restricted by this rule, where they were located and in which "
        "hour, and nothing that names you."
    ),
    data_care="This page shows that someone tried to join. Keep or print it only where that is safe for you.",
    actions="What you can do",
    read_order="Read about the order:",
    contact=(
        "If you have questions, or think the restriction is wrong, contact whoever runs the meeting or this service, "
        "and quote the receipt below."
    ),
    no_ban=(
        "You are not banned. Every attempt to join is judged afresh, and a restriction that has ended no longer counts."
    ),
    not_there="If you are not in {place}",
    not_there_why=(
        "What is located is the network, not you, and that can be wrong: a roaming SIM card, a company network or a "
        "VPN appears where that network is. If one of these is in use, join over a local connection instead. If the "
        "location is still wrong, tell whoever runs the meeting."
    ),
    not_there_unknown="If your location should be known",
    not_there_unknown_why=(
        "What is located is the network, not you. Private, very new and shared networks often cannot be placed. "
        "Joining over another connection may help; otherwise, tell whoever runs the meeting."
    ),
    receipt="Your receipt",
    receipt_use=(
        "With it you, and nobody else, can have the proof that this restriction is in the gate’s record: ask whoever "
        "runs this service for it. It says nothing about you, but whoever holds it can point to this case: do not "
        "share it lightly."
    ),
    promise="What the gate has signed",
    promise_use=(
        "Keep this with the receipt. It promises that the record is there by the hour it names; if it is not, this is "
        "the evidence."
    ),
    not_ours="This page comes from the gate that carries out the order. The order is not the gate’s own.",
    no_order="This page comes from the gate that carries out the host’s policy. No legal order is involved.",
    same_answer="The answer is the same whether or not such a meeting exists.",
    about="About this gate",
)

_SIMPLIFIED = Words(
    order_title="因法律命令，部分地区无法加入此会议",
    order_detail=(
        "根据一项法律命令，在{until}之前，位于{place}的网络连接无法加入此会议。会议并未终止，其他人仍可照常参加。"
    ),
    host_title="因主持人的设置，部分地区无法加入此会议",
    host_detail="此会议的主持人不接受位于{place}的网络连接。会议并未终止，其他人仍可照常参加。",
    host_detail_unknown="此会议的主持人不接受位置不明的网络连接。会议并未终止，其他人仍可照常参加。",
    order_kind="法律命令",
    host_kind="主持人的设置",
    not_let_in="您未能加入此会议",
    removed="您已被移出此会议",
    order_lead="根据一项法律命令，本服务须拒绝位于{place}的网络连接加入此会议。",
    host_lead="此会议的主持人不接受位于{place}的网络连接。",
    host_lead_unknown="此会议的主持人不接受位置不明的网络连接。",
    goes_on="会议并未终止，其他人仍可照常参加，任何人的账号均不受影响。",
    authority="提出要求的机关",
    legal_basis="法律依据",
    order_id="命令编号",
    territory="适用的地区",
    until="有效期至",
    located_as="您的连接被判定位于",
    unknown="不明",
    restricted_by="由谁决定",
    the_host="会议主持人",
    policy_id="设置编号",
    allow="只接受以下地区",
    deny="不接受以下地区",
    data="您的数据如何处理",
    data_kept=(
        "网关在自有的数据库中查询了您所用网络的所在地，没有保存您的 IP 地址，也没有将其发送给任何人。"
        "网关只记录了：有人在某一小时内因这条规则受到限制，以及其所在地；其中没有任何可识别您身份的内容。"
    ),
    data_kept_inside=(
        "网关在自有的数据库中查询了您所用网络的所在地，没有保存您的 IP 地址；您在会议中时，与其他参会者一样，"
        "该地址只传给了会议服务，没有发送给其他任何人。"
        "网关只记录了：有人在某一小时内因这条规则受到限制，以及其所在地；其中没有任何可识别您身份的内容。"
    ),
    data_care="本页面会显示有人曾尝试加入会议。保存或打印之前，请先确认这样做对您是安全的。",
    actions="您可以怎么做",
    read_order="查看该命令的说明：",
    contact="如有疑问，或认为这项限制有误，请联系会议的组织者或本服务的运营方，并提供下方的回执。",
    no_ban="您没有被封禁：每次加入都会重新判断，已经结束的限制不再生效。",
    not_there="如果您不在{place}",
    not_there_why=(
        "系统判断的是网络的位置，而不是您本人的位置，因此可能有误：使用漫游中的手机卡、公司网络或 VPN 时，"
        "显示的是该网络所在的地方。如属这种情况，请改用当地的网络连接再次加入。如果位置仍不正确，请告知会议的组织者。"
    ),
    not_there_unknown="如果您的位置本应可以判断",
    not_there_unknown_why=(
        "系统判断的是网络的位置，而不是您本人的位置。内部网络、新启用的网络和共用的网络往往无法定位。"
        "换用其他网络连接或许可以解决；如仍不行，请告知会议的组织者。"
    ),
    receipt="您的回执",
    receipt_use=(
        "凭此回执，您可以向服务的运营方索取证明，确认这项限制已写入网关的记录；除您之外，没有人能够找到这条记录。"
        "回执不含您的任何信息，但持有者可以据此指认这次限制，请勿随意转交他人。"
    ),
    promise="网关签名的承诺",
    promise_use="请与回执一并保存。网关承诺，最迟在其中写明的时间，这条记录已经存在；若不存在，这就是证据。",
    not_ours="本页面由执行该命令的网关提供。命令并非由网关发出。",
    no_order="本页面由执行主持人设置的网关提供，与法律命令无关。",
    same_answer="无论该会议是否存在，您看到的答复都是一样的。",
    about="关于本网关",
)

_TRADITIONAL = Words(
    order_title="因法律命令，部分地區無法加入此會議",
    order_detail=(
        "根據一項法律命令，在{until}之前，位於{place}的網路連線無法加入此會議。會議並未終止，其他人仍可照常參加。"
    ),
    host_title="因主持人的設定，部分地區無法加入此會議",
    host_detail="此會議的主持人不接受位於{place}的網路連線。會議並未終止，其他人仍可照常參加。",
    host_detail_unknown="此會議的主持人不接受位置不明的網路連線。會議並未終止，其他人仍可照常參加。",
    order_kind="法律命令",
    host_kind="主持人的設定",
    not_let_in="您未能加入此會議",
    removed="您已被移出此會議",
    order_lead="根據一項法律命令，本服務須拒絕位於{place}的網路連線加入此會議。",
    host_lead="此會議的主持人不接受位於{place}的網路連線。",
    host_lead_unknown="此會議的主持人不接受位置不明的網路連線。",
    goes_on="會議並未終止，其他人仍可照常參加，任何人的帳號均不受影響。",
    authority="提出要求的機關",
    legal_basis="法律依據",
    order_id="命令編號",
    territory="適用的地區",
    until="有效期至",
    located_as="您的連線被判定位於",
    unknown="不明",
    restricted_by="由誰決定",
    the_host="會議主持人",
    policy_id="設定編號",
    allow="只接受以下地區",
    deny="不接受以下地區",
    data="您的資料如何處理",
    data_kept=(
        "閘道在自有的資料庫中查詢了您所用網路的所在地，沒有儲存您的 IP 位址，也沒有將其傳送給任何人。"
        "閘道只記錄了：有人在某一小時內因這條規則受到限制，以及其所在地；其中沒有任何可識別您身分的內容。"
    ),
    data_kept_inside=(
        "閘道在自有的資料庫中查詢了您所用網路的所在地，沒有儲存您的 IP 位址；您在會議中時，與其他與會者一樣，"
        "該位址只傳給了會議服務，沒有傳送給其他任何人。"
        "閘道只記錄了：有人在某一小時內因這條規則受到限制，以及其所在地；其中沒有任何可識別您身分的內容。"
    ),
    data_care="本頁面會顯示有人曾嘗試加入會議。儲存或列印之前，請先確認這樣做對您是安全的。",
    actions="您可以怎麼做",
    read_order="查看該命令的說明：",
    contact="如有疑問，或認為這項限制有誤，請聯絡會議的主辦者或本服務的營運者，並提供下方的回執。",
    no_ban="您沒有被封鎖：每次加入都會重新判斷，已經結束的限制不再生效。",
    not_there="如果您不在{place}",
    not_there_why=(
        "系統判斷的是網路的位置，而不是您本人的位置，因此可能有誤：使用漫遊中的手機卡、公司網路或 VPN 時，"
        "顯示的是該網路所在的地方。如屬這種情況，請改用當地的網路連線再次加入。如果位置仍不正確，請告知會議的主辦者。"
    ),
    not_there_unknown="如果您的位置本應可以判斷",
    not_there_unknown_why=(
        "系統判斷的是網路的位置，而不是您本人的位置。內部網路、新啟用的網路和共用的網路往往無法定位。"
        "換用其他網路連線或許可以解決；如仍不行，請告知會議的主辦者。"
    ),
    receipt="您的回執",
    receipt_use=(
        "憑此回執，您可以向服務的營運者索取證明，確認這項限制已寫入閘道的紀錄；除您之外，沒有人能夠找到這筆紀錄。"
        "回執不含您的任何資料，但持有者可以據此指認這次限制，請勿隨意轉交他人。"
    ),
    promise="閘道簽署的承諾",
    promise_use="請與回執一併保存。閘道承諾，最遲在其中寫明的時間，這筆紀錄已經存在；若不存在，這就是證據。",
    not_ours="本頁面由執行該命令的閘道提供。命令並非由閘道發出。",
    no_order="本頁面由執行主持人設定的閘道提供，與法律命令無關。",
    same_answer="無論該會議是否存在，您看到的答覆都是一樣的。",
    about="關於本閘道",
)

WORDS: dict[Language, Words] = {
    Language.ENGLISH: _ENGLISH,
    Language.SIMPLIFIED: _SIMPLIFIED,
    Language.TRADITIONAL: _TRADITIONAL,
}
