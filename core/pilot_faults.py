"""What is wrong with the plan of a pilot or with its figures, in both languages: what, where, and what to do.

The page speaks the language of whoever reads it (`words`); the command line and JSON keep the English sentence
(`str`). One table for the plan and for the panel, so that no refusal can be written in one language alone.
"""

from __future__ import annotations

from core.errors import ConfigError, ToldInBoth

_FILL = "hãy điền vào ô ấy"
FAULTS = {  # code: (vi, en); a row is the line of the file, its head is line 1
    # the file of the figures
    "panel_gone": (
        "{name}: không đọc được tệp số liệu; hãy đặt tệp vào đúng chỗ của thí điểm, hoặc xin quyền đọc.",
        "{name}: cannot be read ({reason}); put the file of figures in its place",
    ),
    "not_csv": (
        "{name}: không phải bảng CSV ({reason_vi}); hãy lưu lại dạng CSV, mã UTF-8, với các cột {columns}.",
        "{name}: not a CSV table ({reason}); give columns {columns}",
    ),
    "many_rows": (
        "{name}: hơn {most} dòng; hãy đưa trung bình theo ngày.",
        "{name}: more than {most} rows; give means per day",
    ),
    "no_column": (
        "{name}, dòng 1: thiếu cột {missing}; hãy thêm, cần đủ {columns}.",
        "{name}: no column {missing}; give columns {columns}",
    ),
    "no_rows": (
        "{name}: không có dòng số liệu nào; hãy đưa mỗi nơi, mỗi kỳ một dòng.",
        "{name}: no rows; give one row per unit and time",
    ),
    "empty_cell": (
        f"{{name}}, dòng {{row}}, cột {{column}}: ô trống; {_FILL}.",
        "{name}: row {row}: {column} is empty; fill it in",
    ),
    "no_number": (
        "{name}, dòng {row}, cột value: «{given}» không phải là số; hãy viết như 12.5, hoặc để trống nếu không có.",
        "{name}: row {row}: value {given!r} is no number; write 12.5, or nothing",
    ),
    "no_flag": (
        "{name}, dòng {row}, cột {column}: «{given}» phải là 0 hoặc 1; hãy sửa ô ấy.",
        "{name}: row {row}: {column} {given!r} must be 0 or 1",
    ),
    "no_time": (
        "{name}, dòng {row}, cột time: «{given}» không phải ngày; hãy viết như 2026-11-20.",
        "{name}: row {row}: time {given!r} is not ISO 8601; write 2026-11-20",
    ),
    "no_count": (
        "{name}, dòng {row}, cột time: «{given}» không phải số như các dòng khác; hãy dùng một kiểu cho cả tệp.",
        "{name}: row {row}: time {given!r} is not a number, as the others are",
    ),
    "twice": (
        "{name}, dòng {row}: nơi {unit}, kỳ {time} có hai dòng; hãy giữ một dòng.",
        "{name}: row {row}: {unit} at {time} is given twice; keep one row",
    ),
    "gaps_before": (
        "{name}, cột value: {lost} trong {of} kỳ trước ngày bắt đầu thiếu số của nơi nào đó, nhiều nhất là {worst}; "
        "hãy bổ sung, hoặc bỏ nơi ấy.",
        "{name}: {lost} of {of} times before the start lack a value of some unit, most of all {worst}; fill them in or "
        "leave that unit out",
    ),
    "gaps_after": (
        "{name}, cột value: {lost} trong {of} kỳ sau ngày bắt đầu thiếu số của nơi nào đó, nhiều nhất là {worst}; "
        "hãy bổ sung, hoặc bỏ nơi ấy.",
        "{name}: {lost} of {of} times after the start lack a value of some unit, most of all {worst}; fill them in or "
        "leave that unit out",
    ),
    "sometimes_treated": (
        "{name}, cột treated: nơi {unit} khi thì 1, khi thì 0 (lần đầu khác là dòng {row}). Cột này nói nơi ấy có "
        "thuộc thí điểm không, cột after nói từ bao giờ; hãy ghi một giá trị cho mọi dòng của nơi ấy.",
        "{name}: {unit} is treated in some rows and not in others (row {row}); treated says whether the unit belongs "
        "to the pilot at all, after says since when",
    ),
    "no_control": (
        "{name}, cột treated: dòng nào cũng là 1, không có nơi so sánh; hãy thêm nơi không làm thí điểm.",
        "{name}: there is no control: treated is 1 in every row; a pilot needs both",
    ),
    "no_treated": (
        "{name}, cột treated: dòng nào cũng là 0, không có nơi làm thí điểm; hãy ghi 1 cho nơi làm.",
        "{name}: there is no treated unit: treated is 0 in every row; a pilot needs both",
    ),
    "staggered": (
        "{name}, cột after: các nơi làm bắt đầu khác ngày nhau ({units}); hãy làm mỗi ngày bắt đầu một tệp riêng.",
        "{name}: treated units start at different times ({units}); give each start as a panel of its own",
    ),
    "after_differs": (
        "{name}, dòng {row}, cột after: kỳ {time} có nơi là 1, có nơi là 0; hãy ghi 1 cho mọi nơi từ ngày bắt đầu.",
        "{name}: at {time} after is 1 for some units and 0 for others (row {row}); after is 1 for all units from the "
        "start on",
    ),
    "no_before": (
        "{name}, cột after: không có kỳ nào trước ngày bắt đầu; hãy thêm số liệu của thời gian trước để so sánh.",
        "{name}: there is no time before the start; a comparison needs both",
    ),
    "no_after": (
        "{name}, cột after: không có kỳ nào sau ngày bắt đầu; hãy thêm số liệu của thời gian làm để so sánh.",
        "{name}: there is no time after the start; a comparison needs both",
    ),
    "pauses": (
        "{name}, dòng {row}, cột after: trở lại 0 ở kỳ {time}; thí điểm có lúc ngừng thì tách thành hai tệp.",
        "{name}: after goes back to 0 at {time} (row {row}); a pilot that pauses is two panels",
    ),
    # the figures against the plan
    "other_treated": (
        "{name}, cột treated: nơi làm khác với kế hoạch ở «{unit}»; kế hoạch quyết định ai tham gia, hãy sửa tệp.",
        "{name}: treated differ from the plan at {unit}; the plan decides who takes part",
    ),
    "other_controls": (
        "{name}, cột unit: nơi so sánh khác với kế hoạch ở «{unit}»; kế hoạch quyết định ai tham gia, hãy sửa tệp.",
        "{name}: controls differ from the plan at {unit}; the plan decides who takes part",
    ),
    "no_date": (
        "{name}, cột time: «{time}» không phải ngày; hãy viết như 2026-11-20.",
        "{name}: time {time!r} is no date; write 2026-11-20",
    ),
    "other_days": (
        "{name}, cột after: kỳ {time} ghi {after}, mà kế hoạch làm từ {starts} đến {ends}; hãy sửa tệp cho đúng kế "
        "hoạch.",
        "{name}: at {time} after is {after}; the plan runs {starts} to {ends}",
    ),
    "other_first_day": (
        "{name}, cột time: số liệu bắt đầu từ {first}, mà kế hoạch so với từ {back}; hãy đưa đủ từ ngày ấy: biết kết "
        "quả rồi thì không ai được chọn lại thời gian trước.",
        "{name}: the figures begin at {first}, the plan looks back to {back}; nobody may choose the time before once "
        "the result is known",
    ),
    # the plan itself
    "plan_gone": ("{where}: không thấy tệp; hãy đặt lại tệp kế hoạch.", "{where}: the file is missing"),
    "plan_broken": (
        "{where}{place}: không phải TOML hợp lệ; hãy sửa chỗ ấy theo mẫu của một kế hoạch khác.",
        "{where}: not valid TOML: {reason}",
    ),
    "key_unknown": (
        "{where}: không có mục {names}; các mục được dùng là {known}.",
        "{where}: unknown key {names}; known are {known}",
    ),
    "key_missing": ("{where}: thiếu mục {key}; hãy thêm vào.", "{where}: the key {key} is missing"),
    "key_kind": ("{where}, mục {key}: phải là {kind}, không phải {given}; hãy sửa lại.", "{english}"),
    "ends_first": (
        "{where}, mục ends: ngày cuối ({ends}) ở trước ngày bắt đầu ({starts}); hãy sửa một trong hai.",
        "{where}: ends ({ends}) lies before starts ({starts})",
    ),
    "decide_early": (
        "{where}, mục decide_by: hạn quyết định ({decide_by}) phải ở sau ngày cuối ({ends}); hãy sửa một trong hai.",
        "{where}: decide_by ({decide_by}) must lie after ends ({ends})",
    ),
    "back_late": (
        "{where}, mục looks_back_to: {back} phải ở trước ngày bắt đầu ({starts}); hãy sửa lại.",
        "{where}: looks_back_to ({back}) must lie before starts ({starts})",
    ),
    "better": (
        "{where}, mục better: phải là một trong {known}, không phải {given!r}; hãy sửa lại.",
        "{where}: better must be one of {known}, not {given!r}",
    ),
    "both": (
        "{where}: {unit} có trong treated và cả trong controls; mỗi nơi chỉ thuộc một bên, hãy bỏ một chỗ.",
        "{where}: {unit} is in treated and in controls; a unit is one of them",
    ),
    "lock_zone": (
        "{where}, mục locked_at: thiếu múi giờ; hãy dùng nguyên khóa mà hệ thống đã ghi.",
        "{where}: locked_at carries no zone; write it as python -m analysis pilots --lock prints it",
    ),
    "clock_time": (
        "{where}, mục {key}: chỉ ghi ngày như 2026-10-05, không ghi giờ.",
        "{where}: {key} is a day such as 2026-10-05, without a clock time",
    ),
    "site_unknown": (
        "{where}, mục {key}: không có nơi {unit!r} trong sites.toml; hãy sửa tên hoặc khai nơi ấy.",
        "{where}: {key}: {unit!r} is not in sites.toml",
    ),
    "site_twice": (
        "{where}, mục {key}: phải có ít nhất một nơi và mỗi nơi ghi một lần; hãy sửa lại.",
        "{where}: {key} must name each unit once, and at least one",
    ),
    "amount": (
        "{where}, mục {key}: phải từ 0 trở lên, không phải {given:g}; hãy sửa lại.",
        "{where}: {key} must be 0 or more, not {given:g}",
    ),
    "share": (
        "{where}, mục {key}: là tỷ lệ %, nhiều nhất 100, không phải {given:g}; hãy sửa lại.",
        "{where}: {key} is a share in %, at most 100, not {given:g}",
    ),
    # the seal
    "seal_unknown": (
        "Không có thí điểm {key} trong sổ; hãy mở lại trang và chọn thí điểm khác.",
        "There is no pilot {key} in the register; open the page again and choose another.",
    ),
    "seal_twice": (
        "Thí điểm {key} đã có khóa từ {at:%d/%m/%Y}; khóa không thay được.",
        "The pilot {key} has been locked since {at:%d/%m/%Y}; a lock is never replaced.",
    ),
    "seal_late": (
        "Thí điểm {key} đã bắt đầu ngày {starts:%d/%m/%Y}: khóa bây giờ là quá muộn; hãy lập kế hoạch mới.",
        "The pilot {key} began on {starts:%d/%m/%Y}: it is too late to lock it; draw up a new plan.",
    ),
    "seal_disk": (
        "Không ghi được khóa của thí điểm {key} cạnh kho dữ liệu; hãy nhờ quản trị xem chỗ trống và quyền ghi.",
        "The lock of {key} could not be written beside the store; ask the administrator about space and rights.",
    ),
}


class PilotFault(ToldInBoth):
    """Figures of a pilot that cannot be used."""

    tells = "en"  # files are mended where the command line speaks

    def __init__(self, code: str, **facts: object) -> None:
        """`code` of FAULTS; `facts` fill its sentences."""
        self.code = code
        vietnamese, english = (words.format(**facts) for words in FAULTS[code])
        super().__init__(vietnamese, english)


class PlanFault(PilotFault, ConfigError):
    """A plan that cannot be read."""


class SealRefused(PilotFault):
    """A plan that cannot be locked."""

    tells = "vi"  # the audit log's
