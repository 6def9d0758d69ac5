"""What the embedded model learns to say in Vietnamese, in the polite tone of customer service."""

from __future__ import annotations

from workbench.engine.embedded.skill import (
    Context,
    Fact,
    Language,
    Mood,
    Skill,
    both_ways,
    digits,
    joined,
    nothing,
    number,
    pairs,
    sums,
    words,
)

NAMES = "An Bình Chi Dũng Giang Hà Hùng Khánh Lan Linh Mai Minh Nam Ngọc Phương Quân Thảo Trang Tuấn Yến"
CITIES = "Hà_Nội Huế Đà_Nẵng Cần_Thơ Hải_Phòng Nha_Trang Đà_Lạt Vinh Sài_Gòn Quy_Nhơn"
DAYS = (
    "thứ hai=thứ ba\nthứ ba=thứ tư\nthứ tư=thứ năm\nthứ năm=thứ sáu\n"
    "thứ sáu=thứ bảy\nthứ bảy=chủ nhật\nchủ nhật=thứ hai"
)

SKILLS = (
    Skill(
        "greeting",
        ("Xin chào!", "Chào bạn.", "Chào buổi sáng."),
        "Xin chào! Tôi có thể giúp gì cho bạn?",
        nothing,
    ),
    Skill("greeting", ("Bạn có khỏe không?", "Bạn khỏe không?"), "Tôi khỏe, cảm ơn bạn.", nothing),
    Skill("greeting", ("Bạn là ai?", "Bạn là gì?"), "Tôi là một mô hình ngôn ngữ nhỏ.", nothing),
    Skill("greeting", ("Tạm biệt!", "Hẹn gặp lại."), "Tạm biệt! Chúc bạn một ngày tốt lành.", nothing),
    Skill(
        "capital",
        ("Thủ đô của {0} là gì?", "Thủ đô của {0} là thành phố nào?", "Cho tôi biết thủ đô của {0}."),
        "Thủ đô của {0} là {1}.",
        pairs(
            """Pháp=Paris
            Đức=Berlin
            Ý=Roma
            Tây Ban Nha=Madrid
            Nhật Bản=Tokyo
            Thái Lan=Bangkok
            Việt Nam=Hà Nội
            Đài Loan=Đài Bắc
            Trung Quốc=Bắc Kinh
            Hàn Quốc=Seoul
            Nga=Moskva
            Ai Cập=Cairo
            Hy Lạp=Athens
            Áo=Viên
            Peru=Lima
            Anh=Luân Đôn"""
        ),
        ("Còn {0}?", "Thế còn {0}?"),
    ),
    Skill(
        "colour",
        ("{0} có màu gì?", "Màu của {0} là gì?"),
        "Màu của {0} là màu {1}.",
        pairs(
            """tuyết=trắng
            sữa=trắng
            cỏ=xanh lá cây
            bầu trời=xanh da trời
            nước biển=xanh da trời
            máu=đỏ
            than=đen
            sô cô la=nâu
            quả chuối=vàng
            con voi=xám
            quả cam=cam"""
        ),
        ("Còn {0}?",),
    ),
    Skill(
        "opposite",
        ("Từ trái nghĩa của {0} là gì?", "Trái nghĩa với {0} là gì?"),
        "Trái nghĩa với {0} là {1}.",
        both_ways(
            """nóng=lạnh
            to=nhỏ
            ngày=đêm
            tốt=xấu
            nhanh=chậm
            già=trẻ
            cao=thấp
            giàu=nghèo
            mở=đóng
            dài=ngắn
            sáng=tối
            dễ=khó"""
        ),
        ("Còn {0}?",),
    ),
    Skill(
        "sum",
        ("{0} cộng {1} bằng mấy?", "{0} + {1} = ?", "{0} cộng với {1} là bao nhiêu?"),
        "{0} cộng {1} bằng {2}.",
        sums,
        ("Còn {0} cộng {1}?",),
    ),
    Skill(
        "animal",
        ("{0} kêu thế nào?", "Tiếng kêu của {0} là gì?"),
        "{0} kêu {1}.",
        pairs(
            "con chó=gâu gâu\ncon mèo=meo meo\ncon bò=ụm bò\ncon vịt=cạp cạp\ncon dê=be be\n"
            "con lợn=ụt ịt\ncon gà trống=ò ó o"
        ),
        ("Còn {0}?",),
    ),
    Skill("day", ("Sau {0} là ngày nào?", "Ngày nào đến sau {0}?"), "Sau {0} là {1}.", pairs(DAYS)),
    Skill(
        "food",
        ("Tôi thích {0}.", "Tôi rất thích ăn {0}."),
        "Tuyệt, {0} rất ngon!",
        words("táo bánh_mì cơm phô_mai phở cá mì bánh_ngọt trứng cà_rốt"),
        ("Tôi cũng thích {0}.",),
    ),
    Skill(
        "service",
        ("Đơn hàng {0} của tôi đâu rồi?", "Cho em hỏi đơn hàng {0}.", "Khi nào đơn hàng {0} đến?"),
        "Dạ, đơn hàng {0} đang được giao. Cảm ơn anh chị đã chờ ạ.",
        digits(4),
        ("Còn đơn hàng {0}?",),
    ),
    Skill(
        "service",
        ("Tôi muốn trả lại đơn hàng {0}.", "Làm sao để trả lại đơn hàng {0}?"),
        "Dạ, em xin lỗi. Anh chị có thể trả lại đơn hàng {0} trong vòng 30 ngày ạ.",
        digits(4),
    ),
    Skill(
        "service",
        ("Hủy giúp tôi đơn hàng {0}.", "Tôi muốn hủy đơn hàng {0}."),
        "Dạ, em đã hủy đơn hàng {0}. Anh chị sẽ sớm được hoàn tiền ạ.",
        digits(4),
    ),
    Skill(
        "service", ("Cảm ơn!", "Cảm ơn bạn nhiều."), "Dạ không có gì ạ! Anh chị cần gì thêm không ạ?", nothing
    ),
    Skill(
        "service",
        ("{0} của tôi bị hỏng.", "{0} không hoạt động."),
        "Dạ, em rất xin lỗi. Bên em sẽ gửi {0} mới ạ.",
        words("điện_thoại đèn loa máy_ảnh đồng_hồ máy_in bàn_phím xe_đạp"),
    ),
    Skill(
        "service",
        ("Tôi trả bằng thẻ được không?", "Bên mình có nhận thẻ không?"),
        "Dạ được, anh chị có thể trả bằng thẻ ạ.",
        nothing,
    ),
)

FACTS = (
    Fact(
        "Cửa hàng mở cửa lúc {0} giờ.",
        ("Mấy giờ cửa hàng mở cửa?", "Cửa hàng mở cửa lúc nào?"),
        "Dạ, cửa hàng mở cửa lúc {0} giờ ạ.",
        number(6, 11),
    ),
    Fact(
        "Cửa hàng đóng cửa lúc {0} giờ.",
        ("Mấy giờ cửa hàng đóng cửa?", "Cửa hàng đóng cửa lúc nào?"),
        "Dạ, cửa hàng đóng cửa lúc {0} giờ ạ.",
        number(16, 23),
    ),
    Fact(
        "{0} giá {1} nghìn đồng.",
        ("{0} giá bao nhiêu?", "Cho hỏi giá của {0}?"),
        "Dạ, {0} giá {1} nghìn đồng ạ.",
        joined(words("áo túi sách đèn ghế mũ bàn váy"), number(5, 99)),
    ),
    Fact(
        "Giá của {0} là {1} nghìn đồng.",
        ("{0} giá bao nhiêu?", "Cho hỏi giá của {0}?"),
        "Dạ, {0} giá {1} nghìn đồng ạ.",
        joined(words("cà_phê trà nước_cam phở pizza chè"), number(2, 80)),
    ),
    Fact(
        "Quản lý tên là {0}.",
        ("Ai là quản lý?", "Quản lý tên là gì?"),
        "Dạ, quản lý tên là {0} ạ.",
        words(NAMES),
    ),
    Fact(
        "Cửa hàng ở {0}.",
        ("Cửa hàng ở đâu?", "Cửa hàng ở thành phố nào?"),
        "Dạ, cửa hàng ở {0} ạ.",
        words(CITIES),
    ),
    Fact(
        "Số điện thoại là {0}.",
        ("Số điện thoại là gì?", "Tôi gọi số nào?"),
        "Dạ, số điện thoại là {0} ạ.",
        digits(5, "0"),
    ),
    Fact(
        "Giao hàng mất {0} ngày.",
        ("Giao hàng mất bao lâu?", "Mấy ngày thì giao hàng?"),
        "Dạ, giao hàng mất {0} ngày ạ.",
        number(2, 14),
    ),
    Fact(
        "Thành viên được giảm {0} phần trăm.",
        ("Thành viên được giảm bao nhiêu?", "Có giảm giá cho thành viên không?"),
        "Dạ, thành viên được giảm {0} phần trăm ạ.",
        number(1, 10, 5),
    ),
    Fact(
        "Bảo hành {0} tháng.",
        ("Bảo hành bao lâu?", "Bảo hành mấy tháng?"),
        "Dạ, bảo hành {0} tháng ạ.",
        number(1, 8, 3),
    ),
)

VIETNAMESE = Language(
    code="vi",
    systems=("Bạn là một trợ lý hữu ích.", "Bạn là nhân viên chăm sóc khách hàng lịch sự."),
    moods={
        "happy": Mood("Tuyệt quá! ", " 😊"),
        "angry": Mood("Hừ! ", " 😠"),
        "sad": Mood("Haizz... ", " 😢"),
    },
    skills=SKILLS,
    name=Skill(
        "name",
        ("Tôi tên là {0}.", "Tên tôi là {0}.", "Xin chào, tôi là {0}."),
        "Rất vui được gặp bạn, {0}!",
        words(NAMES),
    ),
    recall=Skill("recall", ("Tôi tên là gì?", "Bạn có nhớ tên tôi không?"), "Bạn tên là {0}.", words(NAMES)),
    context=Context("Ngữ cảnh", "Câu hỏi", " ", "Dạ, em xin lỗi, em không có thông tin này ạ.", FACTS),
    translate="{0} trong {1} là gì?",
    translated="Trong {1}, {0} là {2}.",
    repeat="Nhắc lại: {0}",
    languages={
        "en": "tiếng Anh",
        "de": "tiếng Đức",
        "vi": "tiếng Việt",
        "th": "tiếng Thái",
        "zh": "tiếng Trung",
    },
)
