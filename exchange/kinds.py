"""The kinds of problems the API answers with: permanent name, HTTP status, title."""

from trial.text import T

KINDS: dict[str, tuple[int, str]] = {
    "bad_request": (400, T("The request cannot be read", "无法读取该请求")),
    "parameter": (400, T("A query parameter cannot be used", "查询参数无效")),
    "header": (400, T("A request header cannot be used", "请求头无效")),
    "rejected": (400, T("Not saved: something in the body is refused", "未保存:内容被拒绝")),
    "unauthenticated": (401, T("A valid token is needed", "需要有效令牌")),
    "forbidden": (403, T("Not allowed in this role", "当前角色无此权限")),
    "not_found": (404, T("Not found", "未找到")),
    "method": (405, T("Method not allowed", "不支持该方法")),
    "exists": (409, T("It is already there", "已存在")),
    "conflict": (409, T("The change met another", "更改发生冲突")),
    "wrong_state": (409, T("Not possible in this state", "当前状态下不能执行")),
    "start_again": (
        409,
        T("The cursor does not fit: pull again from the start", "游标不适用:请从头重新拉取"),
    ),
    "length": (411, T("The length of the body is needed", "需要请求体长度")),
    "stale": (412, T("The record changed since you read it", "记录在您读取后已更改")),
    "too_large": (413, T("The body is too large", "请求体过大")),
    "media_type": (415, T("Not a media type this address takes", "不支持的内容类型")),
    "other_body": (
        422,
        T("The same Idempotency-Key came with another body", "同一 Idempotency-Key 对应了不同内容"),
    ),
    "not_signed": (422, T("Not signed", "未签署")),
    "locked": (423, T("The record is locked", "记录已锁定")),
    "precondition": (428, T("Say which version you saw", "请说明所见版本")),
    "throttled": (429, T("Too many requests", "请求过于频繁")),
    "broken": (500, T("Something broke on our side", "系统内部错误")),
    "unavailable": (503, T("The database does not answer", "数据库暂时无法访问")),
}
OF_STATUS: dict[int, str] = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method",
    406: "media_type",
    411: "length",
    413: "too_large",
    415: "media_type",
    429: "throttled",
}
