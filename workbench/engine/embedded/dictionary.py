"""One word in five languages, for the translation of single words."""

from __future__ import annotations

CODES = ("en", "de", "vi", "th", "zh")

TABLE = """
water Wasser nước น้ำ 水
bread Brot bánh_mì ขนมปัง 麵包
milk Milch sữa นม 牛奶
tea Tee trà ชา 茶
coffee Kaffee cà_phê กาแฟ 咖啡
fish Fisch cá ปลา 魚
egg Ei trứng ไข่ 蛋
house Haus nhà บ้าน 房子
book Buch sách หนังสือ 書
school Schule trường_học โรงเรียน 學校
friend Freund bạn เพื่อน 朋友
mother Mutter mẹ แม่ 母親
father Vater bố พ่อ 父親
dog Hund chó หมา 狗
cat Katze mèo แมว 貓
bird Vogel chim นก 鳥
tree Baum cây ต้นไม้ 樹
flower Blume hoa ดอกไม้ 花
sun Sonne mặt_trời ดวงอาทิตย์ 太陽
moon Mond mặt_trăng ดวงจันทร์ 月亮
rain Regen mưa ฝน 雨
fire Feuer lửa ไฟ 火
doctor Arzt bác_sĩ หมอ 醫生
hand Hand tay มือ 手
"""

WORDS: tuple[dict[str, str], ...] = tuple(
    dict(zip(CODES, (word.replace("_", " ") for word in line.split()), strict=True))
    for line in TABLE.strip().splitlines()
)
