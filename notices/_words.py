"""What messages say, Vietnamese and English: one table, so that nobody writes half a sentence elsewhere."""

from __future__ import annotations

LANGUAGES = ("vi", "en")
DRILL, SIMULATED = "[DIỄN TẬP]", "[MÔ PHỎNG]"
DEEDS = {  # what happened, as a headline
    "raise": ("Cảnh báo mới", "New alert"),
    "raise_priority": ("Tăng mức", "Priority raised"),
    "lower_priority": ("Giảm mức", "Priority lowered"),
    "realarm": ("Nhắc lại, chưa hết", "Rings again, still on"),
    "ack_expired": ("Xác nhận đã hết hạn, chưa xử lý", "Acknowledgement expired, still on"),
    "escalate": ("Chuyển cấp: chưa ai xác nhận", "Escalated: nobody has acknowledged"),
    "clear": ("Đã hết", "Over"),
    "latch": ("Đã hết, chờ đặt lại", "Over, waits for a reset"),
    "reset": ("Đã đặt lại", "Reset"),
    "stale": ("Số liệu chậm, giữ nguyên trạng thái", "Data late, the state is kept"),
    "live": ("Số liệu trở lại", "Data are back"),
    "acknowledge": ("Đã xác nhận", "Acknowledged"),
    "unacknowledge": ("Hoàn tác xác nhận", "Acknowledgement undone"),
    "shelve": ("Tạm gác", "Shelved"),
    "unshelve": ("Bỏ tạm gác, chưa hết", "Unshelved, still on"),
    "shelf_expired": ("Hết hạn tạm gác, chưa hết", "Shelf expired, still on"),
    "suppress": ("Ẩn theo thiết kế", "Suppressed by design"),
    "release": ("Hết ẩn, cảnh báo còn", "Released, still on"),
    "take_out_of_service": ("Ngừng theo dõi", "Out of service"),
    "return_to_service": ("Theo dõi trở lại, cảnh báo còn", "Back in service, still on"),
    "service_reminder": ("Vẫn đang ngừng theo dõi", "Still out of service"),
    "assign": ("Giao việc", "Assigned"),
    "open_situation": ("Vụ việc mới", "New situation"),
    "status": ("Vụ việc đổi trạng thái", "Situation: new status"),
    "close_situation": ("Vụ việc đã đóng", "Situation closed"),
}
PRIORITY = {
    "critical": ("KHẨN CẤP", "CRITICAL"),
    "high": ("CAO", "HIGH"),
    "medium": ("TRUNG BÌNH", "MEDIUM"),
    "low": ("THẤP", "LOW"),
}
LABELS = {
    "place": ("Nơi", "Place"),
    "value": ("Giá trị", "Value"),
    "limit": ("ngưỡng", "limit"),
    "at": ("Lúc", "At"),
    "measured": ("Số liệu lúc", "Data of"),
    "action": ("Việc phải làm", "What to do"),
    "time_to_act": ("Thời gian để xử lý", "Time to act"),
    "owner": ("Phụ trách", "Owner"),
    "consequence": ("Hậu quả nếu bỏ qua", "If nobody acts"),
    "situation": ("Vụ việc", "Situation"),
    "by": ("Người thao tác", "By"),
    "reason": ("Lý do", "Reason"),
    "link": ("Xem", "See"),
    "due": ("Hạn", "Due"),
}
SILENT = ("không có dữ liệu mới", "no new data")
OUTSIDE = ("ngoài {low}–{high}", "outside {low}–{high}")
OVER_NOW = ("Khi soạn tin này, cảnh báo đã hết.", "When this was written the alert was already over.")
DRILL_LINE = ("ĐÂY LÀ DIỄN TẬP, không phải sự việc thật.", "THIS IS A DRILL, not a real event.")
SIMULATED_LINE = ("DỮ LIỆU MÔ PHỎNG: địa phương này không có thật.", "SIMULATED DATA: this city does not exist.")
FLOOD = ("Dồn dập", "Flood")
FLOOD_LINE = (
    "Nhiều cảnh báo cùng lúc nên gửi chung một tin; mức Khẩn cấp luôn được gửi riêng.",
    "Many alerts at once, so they come in one message; critical ones always come alone.",
)
ALERTS = ("cảnh báo", "alerts")
MORE = ("và {n} cảnh báo khác", "and {n} more alerts")
TEST_SUBJECT = ("Tin thử từ hệ thống cảnh báo", "Test message of the alert system")
TEST_TEXT = (
    "Nếu đọc được tin này, kênh gửi tin đã thông. Không cần làm gì.",
    "If you can read this, the channel works. Nothing needs to be done.",
)


def say(pair: tuple[str, str], language: str) -> str:
    """The words of one language."""
    return pair[1] if language == "en" else pair[0]
