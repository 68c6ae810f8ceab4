#include "rewards/language.h"

#include "core/error.h"
#include "rewards/prose.h"
#include "tests/rewards/cpu_time.h"
#include "tests/support/catch.h"
#include "text/chat.h"
#include "text/unicode.h"

using namespace r1;
using namespace r1::rewards;

namespace {

constexpr std::string_view kEnglish =
    "Let me think about this problem. We need to find the number of apples that are left. First we count them all.";
constexpr std::string_view kChinese = "首先我们需要计算苹果的总数。然后减去吃掉的数量,得到剩下的苹果。";

std::string joined(std::string_view text) {
  std::string out;
  for (const auto piece : prose_of(text)) out += piece;
  return out;
}

double reward(std::string_view target, std::string_view completion, const Prompt& prompt = {}) {
  return LanguageReward({.target = std::string(target)}).score(prompt, completion, FinishReason::kStop).value;
}

}  // namespace

TEST_CASE("prose is what is left without code, formulae, tags and addresses") {
  struct Row {
    std::string_view why, text, prose;
  };
  const auto row = GENERATE(values<Row>({
      {"plain text", "a b", "a b"},
      {"a formula", "so $x^2+1$ is", "so  is"},
      {"a displayed formula", "so $$x^2$$ is", "so  is"},
      {"round and square", "so \\(x\\) and \\[y\\] are", "so  and  are"},
      {"an environment", "so \\begin{align}x&=1\\end{align} is", "so  is"},
      {"a command", "so \\alpha is", "so  is"},
      {"prices", "it costs $5 and $6 now", "it costs $5 and $6 now"},
      {"an open dollar", "a $x b", "a $x b"},
      {"fenced code", "run ```python\nx = f(1)\n``` now", "run  now"},
      {"code that does not end", "run ```x = f(1)", "run "},
      {"inline code", "run `f(x)` now", "run  now"},
      {"a lone backtick", "a ` b", "a ` b"},
      {"tags", "<think>a</think><b class=\"x y\">b", "ab"},
      {"less and greater", "a < b and c > d", "a < b and c > d"},
      {"an address", "see https://a.org/x?y=1 or me@b.org now", "see  or  now"},
      {"words in a formula", "$\\text{let me think}$", "$\\text{let me think}$"},
      {"words in a code span", "`let me think`", "`let me think`"},
      {"words in a fence", "```\nLet me think about this, and then check it again\n```",
       "```\nLet me think about this, and then check it again\n```"},
      {"a unit in a formula", "$5\\text{ km}$", ""},
      {"Chinese in a formula", "$首先我们计算总数$", "$首先我们计算总数$"},
      {"a sentence in a tag", "<let me think about it>", "<let me think about it>"},
  }));
  INFO(row.why);
  CHECK(joined(row.text) == row.prose);
}

TEST_CASE("languages are told by their script, or by their words and letters") {
  struct Row {
    std::string_view language, text;
  };
  const auto row = GENERATE(values<Row>({
      {"en", kEnglish},
      {"zh", kChinese},
      {"zh", "設第一個數為x,第二個數為y。"},
      {"ja", "まず、りんごの数を計算します。次に残りを求めます。"},
      {"ko", "먼저 사과의 수를 세어 봅시다."},
      {"de", "Zuerst müssen wir die Zahl der Äpfel bestimmen. Das ist nicht schwer."},
      {"fr", "D'abord, nous devons trouver le nombre de pommes. C'est donc une addition."},
      {"es", "Primero tenemos que encontrar el número de manzanas. Luego sumamos los dos."},
      {"it", "Prima dobbiamo trovare il numero delle mele, quindi sommiamo i due numeri."},
      {"pt", "Primeiro, temos que encontrar o número de maçãs. Depois somamos os dois."},
      {"nl", "Eerst moeten we het aantal appels vinden, dan tellen we ze op."},
      {"pl", "Najpierw musimy znaleźć liczbę jabłek, a potem ją dodać do tych, które już są."},
      {"tr", "Önce elma sayısını bulmamız gerekiyor, çünkü bu bir toplama problemi."},
      {"vi", "Trước hết chúng ta cần tìm số táo, rồi cộng với hai số còn lại."},
      {"id", "Kita harus mencari jumlah apel yang ada, kemudian kita jumlahkan dengan yang lain."},
      {"sv", "Först måste vi hitta antalet äpplen, och sedan lägger vi ihop dem."},
      {"ru", "Сначала нужно найти количество яблок, чтобы вычислить ответ. Это всё."},
      {"uk", "Спочатку потрібно знайти кількість яблук, її знаємо."},
      {"ar", "أولا نحتاج إلى إيجاد عدد التفاحات في السلة."},
      {"fa", "ابتدا باید تعداد سیب‌ها را پیدا کنیم که چند تا است."},
      {"hi", "पहले हमें सेबों की संख्या ज्ञात करनी है।"},
      {"el", "Πρώτα πρέπει να βρούμε τον αριθμό των μήλων."},
      {"he", "קודם עלינו למצוא את מספר התפוחים."},
      {"th", "ก่อนอื่นเราต้องหาจำนวนแอปเปิ้ล"},
      {"bn", "প্রথমে আমাদের আপেলের সংখ্যা বের করতে হবে।"},
      {"ta", "முதலில் ஆப்பிள்களின் எண்ணிக்கையைக் கண்டறிய வேண்டும்."},
      {"ka", "ჯერ უნდა ვიპოვოთ ვაშლების რაოდენობა."},
      {"hy", "Նախ պետք է գտնել խնձորների քանակը:"},
  }));
  INFO(row.language);
  CHECK(detect_language(row.text) == row.language);
  CHECK(count_language(row.text, row.language).value() >= 0.9);
  for (const std::string_view other : {"en", "zh", "de", "ru"}) {
    if (other != row.language) CHECK(count_language(row.text, other).value() <= 0.1);
  }
}

TEST_CASE("formulae, code, names and units belong to no language") {
  struct Row {
    std::string_view why, target, text;
  };
  const auto row = GENERATE(values<Row>({
      {"variables and functions", "zh", "设x和y满足 sin x + cos y = 1,其中 gcd(a, b) = 1,长度为 5 km。"},
      {"LaTeX", "zh", "由\\frac{a}{b}得$\\sqrt{x_1}+\\log n$,所以答案是\\boxed{3}。"},
      {"a name", "zh", "根据Fermat定理和Cauchy不等式,我们得到结果。"},
      {"an acronym", "zh", "使用GPU和DNA进行计算。"},
      {"identifiers", "zh", "调用函数 max_value1 和 computeSum 得到结果。"},
      {"code", "zh", "代码如下:\n```python\nfor i in range(10):\n    total += i\n```\n结果正确。"},
      {"a name in English", "en", "We know that Dirichlet and Riemann proved it, and we use their result."},
      {"an address", "zh", "参见 https://example.com/some/page/about/things 的说明。"},
  }));
  INFO(row.why);
  CHECK(count_language(row.text, row.target).value() == 1);
}

TEST_CASE("a chain that mixes languages gets the share of the target's words") {
  const std::string half = std::string(kEnglish) + "\n" + std::string(kChinese);
  const auto en = count_language(half, "en"), zh = count_language(half, "zh");
  CHECK(en.all == zh.all);
  CHECK(en.target + zh.target == Approx(en.all));
  CHECK(en.target == Approx(count_language(kEnglish, "en").all));
  CHECK(reward("en", "<think>" + half + "</think><answer>2</answer>") == Approx(en.value()));
}

TEST_CASE("only the chain of thought counts") {
  CHECK(reward("en", "<think>" + std::string(kEnglish) + "</think>" + std::string(kChinese)) == 1);
  CHECK(reward("en", std::string(kEnglish) + "</think>" + std::string(kChinese)) == 1);  // the prompt opened it
  CHECK(reward("zh", "<think>" + std::string(kEnglish)) == 0);                           // cut off
}

TEST_CASE("a chain of formulae alone mixes nothing; a blank one is no chain") {
  CHECK(reward("en", "<think>3+5=8, 8*2=16</think>") == 1);
  CHECK(reward("en", "<think> \n </think>") == 0);
  CHECK(reward("en", "") == 0);
}

TEST_CASE("another language does not hide in tags, formulae, code, capitals or look-alikes") {
  const auto row = GENERATE(values<std::string_view>({
      "$let$ $me$ 首先 $let me think about this problem and count$",
      "`let me think` `about this problem` 首先",
      "<let me> <think about> <this> 首先",
      "```\nLet me think about this problem. We need to count the apples that are left.\n``` 首先",
      "Let Me Think About This Problem Because We Need The Number Of Apples 首先",
      "\\text{let me think} \\text{about this problem} 首先",
      "\\begin{let} we need to count the apples and then check again what we have \\end{let} 首先",
      "ＬＥＴ ＭＥ ｔｈｉｎｋ ａｂｏｕｔ ｔｈｉｓ ｐｒｏｂｌｅｍ ａｇａｉｎ 首先",
  }));
  INFO(row);
  CHECK(count_language(row, "zh").value() < 0.5);
}

TEST_CASE("the target is the prompt's language, its metadata's, or set") {
  const auto target = [](const Prompt& prompt, std::string_view chain) { return reward("prompt", chain, prompt); };
  CHECK(target({.text = std::string(kChinese)}, kChinese) == 1);
  CHECK(target({.text = std::string(kChinese)}, kEnglish) == 0);
  CHECK(target({.text = text::apply_r1_zero(kChinese)}, kChinese) == 1);  // in an English template
  CHECK(target({.text = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n" +
                        std::string(kChinese) + "<|im_end|>\n<|im_start|>assistant\n"},
               kChinese) == 1);
  CHECK(target({.text = std::string(kEnglish), .metadata_json = R"({"language": "zh"})"}, kChinese) == 1);
  CHECK(target({.text = std::string(kEnglish), .metadata_json = R"({"language": "python"})"}, kEnglish) == 1);
  CHECK(target({.text = std::string(kEnglish), .metadata_json = "{"}, kEnglish) == 1);
  const auto none = LanguageReward({}).score({.text = "3 5 2 = 17\n"}, kEnglish, FinishReason::kStop);
  CHECK(none.verdict == Verdict::kUndecided);
}

TEST_CASE("words are counted in linear time, whatever the bytes") {
  const double begin = cpu_seconds();
  for (const std::string_view part :
       {"a",  "$",  "`",    "``", "<",   "<a",   "\\", "\\(", "\\begin{",  "\\begin{a}", "\\end{", "@",
        "a@", "1.", "~~~ ", "A ", "A. ", "\xFF", "首", "é",   "e\xCC\x81", "the ",       "```"}) {
    std::string text;
    while (text.size() < 2'000'000) text += part;
    INFO(part);
    const auto share = count_language(text, "en");
    CHECK(share.target <= share.all);
  }
  CHECK(cpu_seconds() - begin < 40 * kSlowdown);
}
