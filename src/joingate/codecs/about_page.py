# ruff: noqa: RUF001 - Chinese punctuation and the apostrophe are meant
"""The gate's own page, which `blocked-by` names: who operates the gate, what it does, what it does not do.

The eight guarantees in plain words. Each is a sentence a reader can hold the operator to; none is a reassurance.
"""

from dataclasses import dataclass
from functools import cache

from joingate.codecs.http_answer import HTML, assemble
from joingate.codecs.negotiation import Language, choose_language
from joingate.codecs.page import POLICY, document, fill, text


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    lead: str
    operator: str
    operated_by: str
    operator_unnamed: str
    holds_to: str
    guarantees: tuple[tuple[str, str], ...]
    never: str
    nevers: tuple[str, ...]
    verify: str
    how: str
    footer: str


_WORDS = {
    Language.ENGLISH: _Words(
        title="About this gate",
        lead=(
            "joingate stands in front of a meeting service. Where a legal order or a meeting’s host restricts where a "
            "meeting can be joined from, it turns away the connections concerned, one at a time, and leaves the "
            "meeting to everyone else."
        ),
        operator="Who operates it",
        operated_by="This gate is operated by {operator}. It carries out restrictions; it does not issue them.",
        operator_unnamed="Its operator is not named here. Whoever runs the meeting service can tell you.",
        holds_to="What it holds to",
        guarantees=(
            (
                "Only inside the territory",
                "A legal order affects only connections surely located in its territory. In doubt, people are let in.",
            ),
            (
                "No further than the authority reaches",
                "An order beyond its authority’s own territory is refused. One for CN is not one for HK, MO or TW.",
            ),
            ("The meeting goes on", "The gate has no means to end, close, lock or delete a meeting."),
            ("No accounts", "Nobody’s account is suspended, restricted or reported."),
            ("Everyone else is undisturbed", "Whoever is not restricted keeps the same connection."),
            (
                "No hidden entrance",
                "The gate only turns connections away. It opens none of its own, and lets nobody in unseen.",
            ),
            ("No ban", "When an order ends, or the person is elsewhere, the next join is let in."),
            (
                "Told, without names",
                "Every restriction is recorded before it happens, and told to the person. The record names nobody.",
            ),
        ),
        never="What it does not do",
        nevers=(
            "It does not look for users of VPNs.",
            "It does not read meeting titles or topics to decide.",
            "It gives nobody a list of participants by country.",
            "It keeps no list of people.",
        ),
        verify="How this can be checked",
        how=(
            "The notice you get names the rule, the law behind it and its end, so that each can be looked up. "
            "Every restriction is first written into a signed record, which names nobody and which anyone can verify; "
            "with the receipt on your notice you can have the proof that your case is in it."
        ),
        footer="Location is that of the network a connection comes from, and can be wrong.",
    ),
    Language.SIMPLIFIED: _Words(
        title="关于本网关",
        lead=(
            "joingate 位于会议服务之前。当法律命令或会议主持人限制可以加入会议的地区时，"
            "它只逐一拒绝相关的网络连接，会议本身对其他人照常进行。"
        ),
        operator="由谁运营",
        operated_by="本网关的运营方：{operator}。网关只执行限制，限制并非由其发出。",
        operator_unnamed="此处未注明运营方，请向会议服务的运营方查询。",
        holds_to="它遵守的原则",
        guarantees=(
            ("只限于相关地区", "法律命令只影响明确位于其适用地区内的连接；无法确定时，一律放行。"),
            (
                "不超出机关的管辖范围",
                "超出发令机关自身地区的命令不予执行。地区代码严格区分：针对 CN 的命令不适用于 HK、MO 或 TW。",
            ),
            ("会议照常进行", "网关没有任何手段终止、关闭、锁定或删除会议。"),
            ("不涉及账号", "不会停用、限制或举报任何人的账号。"),
            ("不打扰其他人", "未受限制的人，连接保持不变。"),
            ("没有隐藏的入口", "网关只会拒绝连接，不会自行接入会议，也不会让任何人在不被看见的情况下进入。"),
            ("没有封禁", "命令结束后，或当事人身处别处时，再次加入即可进入。"),
            (
                "告知当事人，不记姓名",
                "任何限制在执行之前都会写入记录，并告知当事人。记录中没有地址、没有姓名，也没有任何可以代表某个人的内容。",
            ),
        ),
        never="它不做的事",
        nevers=(
            "不追查 VPN 用户。",
            "不根据会议标题或话题作出判断。",
            "不向任何人提供按国家或地区列出的参会者名单。",
            "不保存任何人员名单。",
        ),
        verify="如何核实",
        how=(
            "您收到的通知会写明规则、法律依据和期限，均可查证。每项限制都会先写入经过签名的记录；"
            "记录不含姓名，任何人都可以核验。凭通知上的回执，您可以取得证明，确认您的情况已在其中。"
        ),
        footer="所判断的是网络连接的位置，可能有误。",
    ),
    Language.TRADITIONAL: _Words(
        title="關於本閘道",
        lead=(
            "joingate 位於會議服務之前。當法律命令或會議主持人限制可以加入會議的地區時，"
            "它只逐一拒絕相關的網路連線，會議本身對其他人照常進行。"
        ),
        operator="由誰營運",
        operated_by="本閘道的營運者：{operator}。閘道只執行限制，限制並非由其發出。",
        operator_unnamed="此處未註明營運者，請向會議服務的營運者查詢。",
        holds_to="它遵守的原則",
        guarantees=(
            ("只限於相關地區", "法律命令只影響明確位於其適用地區內的連線；無法確定時，一律放行。"),
            (
                "不超出機關的管轄範圍",
                "超出發令機關自身地區的命令不予執行。地區代碼嚴格區分：針對 CN 的命令不適用於 HK、MO 或 TW。",
            ),
            ("會議照常進行", "閘道沒有任何手段終止、關閉、鎖定或刪除會議。"),
            ("不涉及帳號", "不會停用、限制或檢舉任何人的帳號。"),
            ("不打擾其他人", "未受限制的人，連線保持不變。"),
            ("沒有隱藏的入口", "閘道只會拒絕連線，不會自行接入會議，也不會讓任何人在不被看見的情況下進入。"),
            ("沒有封鎖名單", "命令結束後，或當事人身在別處時，再次加入即可進入。"),
            (
                "告知當事人，不記姓名",
                "任何限制在執行之前都會寫入紀錄，並告知當事人。紀錄中沒有位址、沒有姓名，也沒有任何可以代表某個人的內容。",
            ),
        ),
        never="它不做的事",
        nevers=(
            "不追查 VPN 使用者。",
            "不根據會議標題或話題作出判斷。",
            "不向任何人提供按國家或地區列出的與會者名單。",
            "不保存任何人員名單。",
        ),
        verify="如何核實",
        how=(
            "您收到的通知會寫明規則、法律依據和期限，均可查證。每項限制都會先寫入經過簽署的紀錄；"
            "紀錄不含姓名，任何人都可以核驗。憑通知上的回執，您可以取得證明，確認您的情況已在其中。"
        ),
        footer="所判斷的是網路連線的位置，可能有誤。",
    ),
}

_CONTENT_LANGUAGE = {
    language: f"Content-Language: {language}\r\nVary: Accept-Language\r\n".encode() for language in Language
}


def render_about(operator: str, *, accept_language: str, head_only: bool, keep_alive: bool) -> bytes:
    """Answer a GET or HEAD of `ABOUT_PATH`: a complete HTTP/1.1 response, always HTML.

    Args:
        operator: who runs this gate, and how to reach them; "" when they have not said.
        accept_language: the request's field, or "".
        head_only: whether the request was a HEAD.
        keep_alive: whether the connection stays open afterwards.
    """
    language = choose_language(accept_language)
    fields = HTML + POLICY + _CONTENT_LANGUAGE[language]
    return assemble(200, fields, _page(language, operator), keep_alive=keep_alive, head_only=head_only)


@cache  # a page for each language: whoever asks again and again must not have it made again and again
def _page(language: Language, operator: str) -> bytes:
    words = _WORDS[language]
    footer = f"<p>{text(words.footer)}</p>"
    return document(language, title=words.title, kind="joingate", main=_main(words, operator), footer=footer)


def _main(words: _Words, operator: str) -> str:
    named = fill(words.operated_by, operator=operator) if operator else text(words.operator_unnamed)
    guarantees = "\n".join(f"<li><strong>{text(name)}</strong> {text(more)}</li>" for name, more in words.guarantees)
    nevers = "\n".join(f"<li>{text(never)}</li>" for never in words.nevers)
    return f"""<p class="lead">{text(words.lead)}</p>
<h2>{text(words.operator)}</h2>
<p>{named}</p>
<h2>{text(words.holds_to)}</h2>
<ol>
{guarantees}
</ol>
<h2>{text(words.never)}</h2>
<ul>
{nevers}
</ul>
<h2>{text(words.verify)}</h2>
<p>{text(words.how)}</p>"""
