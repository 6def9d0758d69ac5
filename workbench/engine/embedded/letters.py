"""Letters and common words that the tokenizer must know although the corpus may not use them.

The corpus has a small vocabulary; without these, a user's own Thai, Vietnamese or Chinese would fall back
to bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

# A letter must outweigh every pair that begins a word with half of the next letter's bytes.
LETTER_WEIGHT = 3000
WORD_WEIGHT = 20

VIETNAMESE = "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵđ"
THAI = "".join(chr(code) for code in (*range(0x0E01, 0x0E3B), *range(0x0E40, 0x0E4F)))
GERMAN = "äöüßÄÖÜ"
SIGNS = "，。？！：；、「」『』（）…—–“”‘’„€"

# Common Traditional characters, by what they are about, so that the list can be read and extended.
CHINESE = """
一二三四五六七八九十百千萬億零半兩第幾多少每各全部些雙
我你他她它們自己人誰您大家的了是不在有和與也都就還又再很太更最非常已經正將要會能可以應該必須
這那哪此個位件本張條隻次天年月日時分秒點鐘週期今明昨早晚午夜前後上下左右中間內外裡東西南北方向
來去到回進出走跑坐站起立住開關放拿給送買賣付收用做作為使得讓叫把被從對向於而且或但因所如果雖然
說話講問答告訴知道想認覺看見聽讀寫學習教語言文字詞句書報紙筆名字意思義理解釋翻譯古代現今白話
好壞美麗新舊老少年輕高低長短快慢冷熱輕重遠近深淺強弱真假對錯難易貴便宜乾淨安全危險
家父母親兒女子孩兄弟姐妹朋友老師學生醫生客先生小姐王國民族社會世界城市鄉村街路門窗房屋樓
吃喝飯菜米麵魚肉蛋水果茶酒奶糖鹽油味香甜酸苦辣餐廳杯碗盤刀火煮
天地山水河海湖江風雨雪雲雷電光日月星春夏秋冬花草樹木林葉石土沙金銀銅鐵玉
頭髮臉眼耳鼻口手足心身體血骨病痛藥死生命活力氣健康
愛恨喜歡怒哀樂悲傷怕驚感情笑哭憂愁謝請歡迎抱歉幸福希望夢
車船飛機票站工作公司商店錢價格元訂單貨電腦網路信號碼系統資料服務經濟政府法律科技術
歷史文化教育藝術音樂歌舞畫戲球比賽遊戲運動電影節目新聞消息問題方法原因結果目的計劃辦成功失敗
之乎者也矣焉哉乃其何以吾汝彼曰云欲無未若則故遂皆豈莫孰夫惟然於是諸侯君臣將軍士卒兵馬戰城守攻
黑白紅黃藍綠紫灰色形式樣種類部分性質量度數學直接接受著過完成開始停止變化發展現象實際重要特別同樣不同
公園散步根固源泉求臣聞群眾各位交通旅行參觀留連絡介紹結婚禮物節慶祝賀生產農業工程軍隊警察醫院圖館博物院
動物豬羊鳥蟲龍虎龜蛇鼠猴雞鴨熊獅象竹松梅蘭菊桃李杏橘瓜豆蔥薑蒜醋醬湯粥糕餅
衣服褲裙帽鞋襪布線針床桌椅燈扇鏡箱袋包盒瓶傘鑰匙鎖牆梯橋港島洲洋波浪洞穴谷峰崖壁池塘溪流
打擊破碎推拉抱握抓摸指揮跳飛爬游騎駕駛搬運載裝拆修補洗刷掃擦洞察觀察尋覓搜索選擇決定判斷相信懷疑
強壯瘦胖矮瞎聾啞聰明愚笨勇敢膽怯溫柔善良忠誠孝順仁義禮智勤勞懶惰驕傲謙虛富裕貧窮尊敬卑賤
昔曾嘗既亦猶尚孤獨寡宮殿廟寺塔陵墓碑帝皇后妃侯爵封賜奏詔敕諫諸葛秦漢唐宋元清晉魏楚趙齊燕韓吳越
找幫助等待需求提供關係影響加減乘除等於總共平均大約只許尚仍即使無論除非尤其例如另外首先最後終於
"""

ENGLISH_WORDS = """
the of and to in is that for it was on are as with his they at be this have from or had by not but what all
were when we there can an your which their said if do will each about how up out them then she many some so
these would other into has more her two like him see time could no make than first been its who now people
my made over did down only way find use may water long little very after words called just where most know
get through back much before go good new write our me man too any day same right look think also around
another came come work three must because does part even place well such here take why help put years
different away again off went old number please sorry happy angry sad feel love today tomorrow yes really
thing want need always never ing tion ment ness able ful less est ally ight ould ought
"""

GERMAN_WORDS = """
der die das und ist in den von zu mit sich des auf für nicht es dem ein eine einen einem einer auch als an
er hat aus bei sind nach war wird werden sein noch wie haben oder aber wenn über kann nur mehr sie ich wir
ihr du mir mich dir uns ihm was wer wo wann warum welche man schon sehr hier dort heute morgen gestern immer
nie alle viele gut neu groß alt lang Jahr Tag Zeit Mensch Mann Frau Kind Haus Stadt Land Welt Leben Arbeit
Wasser bitte danke gehen kommen sehen machen sagen wissen denken finden geben nehmen müssen sollen können
wollen ung heit keit lich isch schaft sch ein ver auf vor
"""

VIETNAMESE_WORDS = """
là và của có không được cho một các những người trong này đã với để khi đến như về tôi bạn anh chị em cô ông
bà chúng ta họ nó gì nào sao đâu bao nhiêu mấy rất quá lắm cũng đều vẫn còn đang sẽ vừa mới rồi chưa nên
phải muốn cần thích yêu biết nghĩ nói hỏi trả lời nghe nhìn thấy làm việc đi lại ra vào lên xuống ăn uống
ngủ học đọc viết mua bán hàng giá tiền đơn giao shop sản phẩm khách dịch vụ xin vui buồn giận lòng ngày
tháng năm giờ phút hôm nay mai qua sáng trưa chiều tối nhà cửa đường phố thành nước đất trời mưa nắng gió
con cái mẹ cha bố gia đình bạn bè đẹp xấu tốt lớn nhỏ cao thấp dài ngắn nhanh chậm nhiều ít đúng sai hết cả
mọi từng vì nếu thì nhưng hoặc hay tuy mà bởi tại theo trên dưới trước sau giữa ngoài cảm ơn lỗi chào tạm
biệt giúp đỡ thông tin địa chỉ điện thoại số
"""

THAI_WORDS = """
ที่ และ ใน การ ของ เป็น ได้ ให้ มี ไม่ ว่า จะ ไป มา กับ แต่ หรือ จาก โดย เพื่อ ซึ่ง นี้ นั้น อยู่ คือ แล้ว
ก็ ต้อง ความ ผู้ คน เขา เรา ฉัน ผม คุณ เธอ มัน ทำ พูด ถาม ตอบ รู้ คิด เห็น ดู ฟัง อ่าน เขียน เรียน กิน ดื่ม
นอน ซื้อ ขาย เดิน วัน เดือน ปี เวลา ชั่วโมง เช้า เย็น คืน บ้าน เมือง ประเทศ จังหวัด อำเภอ ตำบล ถนน น้ำ ไฟ ลม
ฝน ดิน ป่า เขา ทะเล ดี มาก น้อย ใหญ่ เล็ก สูง ใหม่ เก่า ร้อน หนาว สวย รัก ชอบ ดีใจ เสียใจ โกรธ กลัว สุข
ทุกข์ ขอบคุณ ขอโทษ สวัสดี ครับ ค่ะ คะ นะ ภาษา ไทย อังกฤษ หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า สิบ ร้อย พัน
ประวัติ พระ ราช มหา วิทยาลัย โรงเรียน รัฐบาล ศาสนา วัด สังคม เศรษฐกิจ การเมือง กีฬา เพลง ภาพยนตร์ นัก แห่ง
ระหว่าง เนื่องจาก ตั้งแต่ ทั้งหมด
"""


def coverage() -> Iterator[str]:
    """Lines to train the tokenizer on beside the corpus: each letter and word, often enough to be merged."""
    han = "".join(CHINESE.split())
    single = f"{VIETNAMESE}{VIETNAMESE.upper()}{THAI}{GERMAN}{SIGNS}{han}"
    for letter in dict.fromkeys(single):
        yield from repeat(letter, LETTER_WEIGHT)
    for text in (ENGLISH_WORDS, GERMAN_WORDS, VIETNAMESE_WORDS, THAI_WORDS):
        for word in text.split():
            yield from repeat(f" {word}", WORD_WEIGHT)
