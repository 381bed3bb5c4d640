# ruff: noqa: RUF001 - Chinese punctuation is meant
"""Names of territories for people to read: those that orders and policies are likely to speak of, in each language.

Always beside the code, never instead of it: the code is what the rule says. A name here takes no position on anybody's
status; it is the common short one. A code without a name is shown as it is.
"""

from collections.abc import Collection

from joingate.codecs.negotiation import Language
from joingate.core.territory import GROUPS

_LANGUAGES = (Language.ENGLISH, Language.SIMPLIFIED, Language.TRADITIONAL)

_TABLE = """
    AE | the United Arab Emirates | 阿联酋 | 阿聯
    AF | Afghanistan | 阿富汗 | 阿富汗
    AR | Argentina | 阿根廷 | 阿根廷
    AT | Austria | 奥地利 | 奧地利
    AU | Australia | 澳大利亚 | 澳洲
    BD | Bangladesh | 孟加拉国 | 孟加拉
    BE | Belgium | 比利时 | 比利時
    BG | Bulgaria | 保加利亚 | 保加利亞
    BR | Brazil | 巴西 | 巴西
    BY | Belarus | 白俄罗斯 | 白俄羅斯
    CA | Canada | 加拿大 | 加拿大
    CH | Switzerland | 瑞士 | 瑞士
    CN | mainland China | 中国大陆 | 中國大陸
    CU | Cuba | 古巴 | 古巴
    CY | Cyprus | 塞浦路斯 | 賽普勒斯
    CZ | Czechia | 捷克 | 捷克
    DE | Germany | 德国 | 德國
    DK | Denmark | 丹麦 | 丹麥
    EE | Estonia | 爱沙尼亚 | 愛沙尼亞
    EG | Egypt | 埃及 | 埃及
    ES | Spain | 西班牙 | 西班牙
    ET | Ethiopia | 埃塞俄比亚 | 衣索比亞
    FI | Finland | 芬兰 | 芬蘭
    FR | France | 法国 | 法國
    GB | the United Kingdom | 英国 | 英國
    GR | Greece | 希腊 | 希臘
    HK | Hong Kong | 香港 | 香港
    HR | Croatia | 克罗地亚 | 克羅埃西亞
    HU | Hungary | 匈牙利 | 匈牙利
    ID | Indonesia | 印度尼西亚 | 印尼
    IE | Ireland | 爱尔兰 | 愛爾蘭
    IL | Israel | 以色列 | 以色列
    IN | India | 印度 | 印度
    IQ | Iraq | 伊拉克 | 伊拉克
    IR | Iran | 伊朗 | 伊朗
    IS | Iceland | 冰岛 | 冰島
    IT | Italy | 意大利 | 義大利
    JP | Japan | 日本 | 日本
    KH | Cambodia | 柬埔寨 | 柬埔寨
    KP | North Korea | 朝鲜 | 北韓
    KR | South Korea | 韩国 | 韓國
    KZ | Kazakhstan | 哈萨克斯坦 | 哈薩克
    LA | Laos | 老挝 | 寮國
    LI | Liechtenstein | 列支敦士登 | 列支敦斯登
    LK | Sri Lanka | 斯里兰卡 | 斯里蘭卡
    LT | Lithuania | 立陶宛 | 立陶宛
    LU | Luxembourg | 卢森堡 | 盧森堡
    LV | Latvia | 拉脱维亚 | 拉脫維亞
    MM | Myanmar | 缅甸 | 緬甸
    MO | Macao | 澳门 | 澳門
    MT | Malta | 马耳他 | 馬爾他
    MX | Mexico | 墨西哥 | 墨西哥
    MY | Malaysia | 马来西亚 | 馬來西亞
    NG | Nigeria | 尼日利亚 | 奈及利亞
    NL | the Netherlands | 荷兰 | 荷蘭
    NO | Norway | 挪威 | 挪威
    NP | Nepal | 尼泊尔 | 尼泊爾
    NZ | New Zealand | 新西兰 | 紐西蘭
    PH | the Philippines | 菲律宾 | 菲律賓
    PK | Pakistan | 巴基斯坦 | 巴基斯坦
    PL | Poland | 波兰 | 波蘭
    PT | Portugal | 葡萄牙 | 葡萄牙
    RO | Romania | 罗马尼亚 | 羅馬尼亞
    RU | Russia | 俄罗斯 | 俄羅斯
    SA | Saudi Arabia | 沙特阿拉伯 | 沙烏地阿拉伯
    SE | Sweden | 瑞典 | 瑞典
    SG | Singapore | 新加坡 | 新加坡
    SI | Slovenia | 斯洛文尼亚 | 斯洛維尼亞
    SK | Slovakia | 斯洛伐克 | 斯洛伐克
    SY | Syria | 叙利亚 | 敘利亞
    TH | Thailand | 泰国 | 泰國
    TR | Türkiye | 土耳其 | 土耳其
    TW | Taiwan | 台湾 | 台灣
    UA | Ukraine | 乌克兰 | 烏克蘭
    US | the United States | 美国 | 美國
    VE | Venezuela | 委内瑞拉 | 委內瑞拉
    VN | Vietnam | 越南 | 越南
    ZA | South Africa | 南非 | 南非
    EU | the European Union | 欧洲联盟 | 歐洲聯盟
    EU+ | the European Union and its outlying regions | 欧洲联盟及其海外地区 | 歐洲聯盟及其海外地區
    EEA | the European Economic Area | 欧洲经济区 | 歐洲經濟區
"""

_NAMES: dict[str, dict[Language, str]] = {
    code.strip(): dict(zip(_LANGUAGES, (name.strip() for name in names), strict=True))
    for code, *names in (row.split("|") for row in _TABLE.strip().splitlines())
}

# A larger group first: the members of a smaller one are then no longer to be listed.
_GROUPS = sorted(GROUPS, key=lambda group: -len(GROUPS[group].members))


def place_name(code: str, language: Language) -> str:
    """Write "mainland China (CN)", or the code alone when it has no name here (a subdivision never has)."""
    names = _NAMES.get(code)
    if names is None:
        return code
    return f"{names[language]} ({code})" if language is Language.ENGLISH else f"{names[language]}（{code}）"


def list_places(codes: Collection[str], language: Language) -> str:
    """Write the names of `codes` as one list; a group that is there whole is named once, before the others."""
    left = set(codes)
    places: list[str] = []
    for group in _GROUPS:
        if left >= (members := GROUPS[group].members):
            places.append(place_name(group, language))
            left -= members
    places += [place_name(code, language) for code in sorted(left)]
    return (", " if language is Language.ENGLISH else "、").join(places)
