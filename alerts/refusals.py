"""What the life of an alert does not allow, in words for the operator. One table for all of the room."""

from __future__ import annotations

from core.errors import InputError

REFUSALS = {  # code: what the operator reads, in vi and en
    "nothing_to_acknowledge": (
        "Cảnh báo đang bình thường, không có gì để xác nhận.",
        "The alert is normal: there is nothing to acknowledge.",
    ),
    "already_acknowledged": (
        "Cảnh báo đã được {who} xác nhận cách đây {ago_vi}.",
        "The alert has already been acknowledged by {who}, {ago_en} ago.",
    ),
    "shelved": (
        "Cảnh báo đang tạm gác; hãy bỏ tạm gác trước.",
        "The alert is shelved: unshelve it first.",
    ),
    "not_shelved": ("Cảnh báo không ở trạng thái tạm gác.", "The alert is not shelved."),
    "covered": (
        "Cảnh báo đang bị ẩn ({cover}), không tạm gác được.",
        "The alert is hidden ({cover}) and cannot be shelved.",
    ),
    "nothing_to_shelve": (
        "Cảnh báo đang bình thường, không có gì để tạm gác.",
        "The alert is normal: there is nothing to shelve.",
    ),
    "critical": (
        "Cảnh báo mức Khẩn cấp không được tạm gác.",
        "An alert of priority Critical may not be shelved.",
    ),
    "shelf_too_long": ("Chỉ được tạm gác tối đa 8 giờ.", "An alert may be shelved for at most 8 hours."),
    "shelf_in_the_past": ("Thời điểm hết tạm gác phải ở sau hiện tại.", "The end of the shelf must lie in the future."),
    "reason_missing": ("Phải ghi lý do.", "A reason must be given."),
    "text_too_long": ("Nội dung dài quá {limit} ký tự.", "The text is longer than {limit} characters."),
    "control_characters": (
        "Nội dung có ký tự điều khiển không hợp lệ.",
        "The text holds control characters, which are not allowed.",
    ),
    "actor_missing": ("Phải ghi tên người thao tác.", "The name of the person must be given."),
    "actor_reserved": ("Tên «{who}» dành cho hệ thống.", "The name «{who}» is reserved for the system."),
    "unknown_alert": ("Không có cảnh báo {rule} tại {site_id}.", "There is no alert {rule} at {site_id}."),
    "no_alert_chosen": ("Chưa chọn cảnh báo nào.", "No alert has been chosen."),
    "nothing_to_undo": (
        "Không còn xác nhận nào để hoàn tác.",
        "There is no acknowledgement left to undo.",
    ),
    "not_your_acknowledgement": (
        "Chỉ người đã xác nhận ({who}) mới hoàn tác được.",
        "Only the person who acknowledged ({who}) can undo it.",
    ),
    "undo_too_late": (
        "Chỉ hoàn tác được trong vòng 10 giây sau khi xác nhận.",
        "An acknowledgement can be undone within 10 seconds only.",
    ),
}


class Refused(InputError):
    """A deed that the life of an alert does not allow; `str()` is Vietnamese, `words` speaks both languages."""

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.values = values
        super().__init__(self.words("vi"))

    def words(self, language: str) -> str:
        """The sentence for the operator in `vi` or `en`."""
        return REFUSALS[self.code][1 if language == "en" else 0].format(**self.values)
