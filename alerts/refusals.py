"""What the life of an alert does not allow, in words for the operator. One table for all of the room."""

from __future__ import annotations

from core.errors import ToldInBoth

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
    "suppressed": (
        "Cảnh báo đang được ẩn theo thiết kế và sẽ tự hiện lại.",
        "The alert is suppressed by design and will come back by itself.",
    ),
    "out_of_service": (
        "Cảnh báo đang ngừng theo dõi để bảo trì; trưởng ca phải đưa trở lại trước.",
        "The alert is out of service for maintenance: a supervisor must return it to service first.",
    ),
    "not_out_of_service": ("Cảnh báo không ở trạng thái ngừng theo dõi.", "The alert is not out of service."),
    "work_order_missing": ("Phải ghi số phiếu công việc.", "The number of the work order must be given."),
    "service_end_missing": ("Phải ghi thời điểm dự kiến xong.", "The planned end must be given."),
    "service_end_in_the_past": (
        "Thời điểm dự kiến xong phải ở sau hiện tại.",
        "The planned end must lie in the future.",
    ),
    "reset_while_active": (
        "Điều kiện cảnh báo vẫn còn, chưa đặt lại được.",
        "The condition still holds: the alert cannot be reset yet.",
    ),
    "reset_while_returning": (
        "Số liệu vừa vượt ngưỡng trở lại, chưa đặt lại được.",
        "The newest value is beyond the setpoint again: the alert cannot be reset now.",
    ),
    "reset_before_acknowledging": (
        "Phải xác nhận cảnh báo trước khi đặt lại.",
        "The alert must be acknowledged before it is reset.",
    ),
    "nothing_to_reset": (
        "Cảnh báo không bị giữ, không có gì để đặt lại.",
        "The alert is not latched: there is nothing to reset.",
    ),
    "nobody_assigned": ("Phải ghi người hoặc đơn vị được giao.", "Name a person or a unit to assign to."),
    "nothing_to_assign": (
        "Cảnh báo đang bình thường, không có việc để giao.",
        "The alert is normal: there is nothing to assign.",
    ),
    "due_in_the_past": ("Hạn xử lý phải ở sau hiện tại.", "The deadline must lie in the future."),
    "shelf_end_missing": ("Phải chọn thời điểm hết tạm gác.", "The end of the shelf must be given."),
    "step_missing": ("Chưa chọn bước nào của quy trình.", "No step of the playbook has been chosen."),
    "not_open": ("Cảnh báo này không còn mở.", "This alert is not open any more."),
    "unknown_screen": ("Tường không có màn hình này.", "The wall has no such screen."),
    "unknown_scene": ("Tường không có cảnh này.", "The wall has no such scene."),
    "wall_span": (
        "Thời gian đưa lên tường phải từ bây giờ đến 8 giờ tới.",
        "The time on the wall must end within the next 8 hours.",
    ),
    "nothing_on_wall": ("Màn hình đang tự xoay vòng.", "The screen turns by itself already."),
    "wall_not_muted": ("Âm thanh màn hình tường đang bật.", "The sound of the wall is on already."),
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
    "no_playbook": (
        "Cảnh báo này không có quy trình đang chạy.",
        "No playbook is running for this alert.",
    ),
    "unknown_step": (
        "Quy trình không có bước {step}; chỉ có bước 1 đến {count}.",
        "The playbook has no step {step}; it has steps 1 to {count}.",
    ),
    "step_done": ("Bước {step} đã được {who} đánh dấu xong.", "Step {step} has been ticked already by {who}."),
    "step_not_done": ("Bước {step} chưa được đánh dấu xong.", "Step {step} has not been ticked."),
    "evidence_missing": (
        "Bước này phải ghi bằng chứng: {evidence}.",
        "This step needs its evidence written down: {evidence}.",
    ),
    "no_roster": (
        "Chưa có lịch trực (roster.toml), nên không biết ca nào đang giao ca.",
        "There is no duty roster (roster.toml), so nobody knows which shift hands over.",
    ),
    "unknown_handover": ("Không có biên bản giao ca {handover}.", "There is no handover note {handover}."),
    "handover_signed": (
        "{who} đã ký giao ca; biên bản {handover} không sửa được nữa.",
        "{who} has signed the shift over: the note {handover} cannot be changed any more.",
    ),
    "handover_not_signed_out": (
        "Ca giao chưa ký; ca nhận chỉ ký sau.",
        "The leaving shift has not signed yet; the next one signs after it.",
    ),
    "handover_closed": (
        "Biên bản {handover} đã được {who} ký nhận ca.",
        "The note {handover} has been taken over by {who} already.",
    ),
    "handover_superseded": (
        "Biên bản {last} đã hoàn tất sau {handover}, nên {handover} không lập hoặc ký giao được nữa.",
        "The note {last} is complete and follows {handover}, which can be neither made nor signed over any more.",
    ),
    "handover_same_person": (
        "{who} đã ký giao ca; người nhận ca phải là người khác.",
        "{who} signed the shift over; another person must take it over.",
    ),
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
    "unknown_situation": (
        "Không có vụ việc {situation} đang mở.",
        "There is no open situation {situation}.",
    ),
    "nothing_to_join": (
        "Cảnh báo đang bình thường, không gộp được vào vụ việc.",
        "The alert is normal: it cannot be joined to a situation.",
    ),
    "already_joined": (
        "Cảnh báo đã nằm trong vụ việc {situation}.",
        "The alert belongs to situation {situation} already.",
    ),
    "not_in_situation": (
        "Cảnh báo không thuộc vụ việc nào, không có gì để tách.",
        "The alert belongs to no situation: there is nothing to split.",
    ),
    "lead_missing": (
        "Phải ghi người hoặc đơn vị chủ trì.",
        "The person or the unit that leads must be given.",
    ),
    "unknown_status": ("Không có trạng thái vụ việc «{status}».", "There is no situation status «{status}»."),
    "members_active": (
        "Còn {count} cảnh báo trong vụ việc chưa trở lại bình thường; tách ra hoặc chờ rồi mới đóng.",
        "{count} alerts of the situation are still active: split them off, or wait before closing it.",
    ),
    "nothing_to_tell": (
        "Cảnh báo đã hết và chưa từng gửi bản tin CAP, không có gì để hủy.",
        "The alert is over and no CAP message was sent for it: there is nothing to cancel.",
    ),
}


class Refused(ToldInBoth):
    """A deed that the life of an alert does not allow."""

    def __init__(self, code: str, **values: object) -> None:
        """`code` of REFUSALS; `values` fill its sentences."""
        self.code, self.values = code, values
        vietnamese, english = (words.format(**values) for words in REFUSALS[code])
        super().__init__(vietnamese, english)
