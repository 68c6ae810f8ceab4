#include "rewards/language_words.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace r1::rewards {
namespace {

constexpr std::array<std::string_view, kNumLanguages> kCodes{"en", "de", "fr", "es", "it", "pt", "nl", "pl", "tr",
                                                             "vi", "id", "sv", "zh", "ja", "ko", "ru", "uk", "ar",
                                                             "fa", "hi", "bn", "ta", "el", "he", "th", "ka", "hy"};

// Words that carry a sentence and little of its subject, with those that reasoning likes.
constexpr std::array<std::string_view, kNumLatin> kWords{
    // en
    "the of and to in is that it for as was with be by on not he his but at are this have from or had an they which "
    "you "
    "were all we her she there would their him been has when who will more no if out so what up its about into than "
    "them "
    "can only other time new some could these two may first then do any like my now such make over our even must "
    "because "
    "where after also each those how your since between both while should let me wait us need think check again first "
    "next answer equals therefore thus hence here see does just maybe actually i'm i'll let's don't it's that's okay "
    "yes "
    "using use given number numbers total means get still too many much same before left right one",
    // de
    "der die das und ist von zu mit den nicht ein eine sich auf im dem es des auch als an wir ich sie er dass daß wie "
    "aus "
    "bei nach um am so noch nur über einen einer einem oder aber vor zum zur bis mehr durch man kann sein wird wenn "
    "sind "
    "hat haben war werden also dann hier muss müssen alle zwei drei ja nein warte jetzt weil denn wieder mal gibt "
    "diese "
    "dieser dieses können unser unsere uns mich ihr prüfen lösung",
    // fr
    "le la les de des du un une et est en que qui dans pour pas sur au aux avec ce cette ces il elle nous vous ils on "
    "se "
    "sont par plus mais ou donc si ne je tu son sa ses leur être avoir fait faire comme tout tous aussi bien peut deux "
    "trois alors c'est d'abord puis ensuite car cela ça où même très encore après avant entre sans sous attendez "
    "voyons "
    "soit ainsi",
    // es
    "el la los las de del un una y es en que por para con no se su sus al lo como más pero o si este esta estos son "
    "ser "
    "está hay fue muy también ya cuando donde dos tres entonces porque nos yo tenemos tiene puede cada sin sobre entre "
    "hasta desde todo todos así luego espera vamos ahora primero esto eso le les me mi",
    // it
    "il lo la gli le di del della dei delle un una e è in che per con non si su al alla come più ma o se questo questa "
    "sono essere ha ho abbiamo nel nella anche da dal dalla ci quando dove due tre quindi perché poi allora ora prima "
    "ogni "
    "tutto tutti cosa aspetta vediamo io noi lui lei loro può",
    // pt
    "o a os as de do da dos das um uma e é em que por para com não se seu sua ao à como mais mas ou este esta isso são "
    "ser "
    "está há foi muito também já quando onde dois três então porque nos eu nós temos tem pode cada sem sobre entre até "
    "desde tudo todos assim depois agora primeiro vamos espere no na nos nas pelo pela",
    // nl
    "de het een en van is dat in te op met voor niet zijn aan er om ook als dan maar of bij door uit naar nog wel "
    "wordt "
    "worden heeft hebben kan kunnen we wij ik je jij hij zij ze deze dit die wat hoe waar twee drie dus want omdat "
    "moet "
    "moeten laten eerst nu wacht geen meer over tot",
    // pl
    "i w na z do nie się to że jest o jak ale po co od za przez dla czy tak ma są był być który która które jego jej "
    "ich "
    "już tylko może gdy więc ponieważ dwa trzy każdy wszystkie teraz najpierw potem mamy jeśli oraz lub bardzo także",
    // tr
    "ve bir bu da de için ile ne o çok daha gibi en ise var yok mi mı olarak olan kadar sonra önce ama çünkü biz ben "
    "sen "
    "her şimdi iki üç eğer veya değil olduğu olur şey böyle şöyle o zaman hangi tüm",
    // vi
    "và của là có không được các một những trong cho với đã này người khi để từ đó như thì về ra cũng nhiều tôi chúng "
    "ta "
    "hai ba nếu vì nên số bằng ta cần phải đang sẽ rồi còn đến hay hoặc mỗi bây giờ",
    // id
    "yang dan di ini itu dengan untuk tidak dari dalam akan pada juga ke karena ada adalah kita saya mereka kami bisa "
    "dapat atau jika maka jadi tetapi sudah telah oleh lebih satu dua tiga semua setiap sekarang kemudian harus",
    // sv
    "och att det som en är av för på med den till inte har de om ett vi jag han hon men var så kan från ska när eller "
    "också då bara nu alla två tre måste här vad hur därför eftersom först sedan varje vänta"};

constexpr std::string_view kFormulaWords =
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp gcd lcm mod max min lim sup inf det dim "
    "ker "
    "deg arg km cm mm nm ft kg mg lb oz ml kb mb gb tb hz khz mhz ghz kw kwh mol ph ev kev rad usd eur gbp cny rmb qed";

struct Letters {
  std::u32string_view letters;
  Language language;
};

constexpr Letters kLetters[]{
    {U"ßäöü", Language::kGerman},
    {U"çèêëîïôœùûàâ", Language::kFrench},
    {U"ñ¿¡áíóú", Language::kSpanish},
    {U"ìòàè", Language::kItalian},
    {U"ãõçáâêà", Language::kPortuguese},
    {U"ąćęłńśźż", Language::kPolish},
    {U"ğışöüç", Language::kTurkish},
    {U"ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", Language::kVietnamese},
    {U"åäö", Language::kSwedish},
    {U"ыэъё", Language::kRussian},
    {U"іїєґ", Language::kUkrainian},
    {U"\u067E\u0686\u0698\u06AF\u06A9\u06CC", Language::kPersian},
    {U"\u0629\u0649\u064A\u0643", Language::kArabic},
};

template <typename Take>
void for_each_word(std::string_view list, Take take) {
  while (!list.empty()) {
    const auto word = list.substr(0, list.find(' '));
    if (!word.empty()) take(word);
    list.remove_prefix(std::min(list.size(), word.size() + 1));
  }
}

uint32_t bit(Language language) { return uint32_t{1} << static_cast<int>(language); }

}  // namespace

std::string_view code_of(Language language) {
  return language == Language::kUnknown ? std::string_view() : kCodes[static_cast<size_t>(language)];
}

Language language_of_code(std::string_view code) {
  const auto at = std::find(kCodes.begin(), kCodes.end(), code);
  return static_cast<Language>(at - kCodes.begin());
}

uint32_t languages_of_word(std::string_view word) {
  static const auto table = [] {
    std::unordered_map<std::string_view, uint32_t> made;
    for (size_t i = 0; i < kWords.size(); ++i) {
      for_each_word(kWords[i], [&](std::string_view w) { made[w] |= uint32_t{1} << i; });
    }
    return made;
  }();
  const auto at = table.find(word);
  return at == table.end() ? 0 : at->second;
}

uint32_t languages_of_letter(char32_t c) {
  if (c < 0x80) return 0;
  static const auto table = [] {
    std::unordered_map<char32_t, uint32_t> made;
    for (const auto& [letters, language] : kLetters) {
      for (const char32_t letter : letters) made[letter] |= bit(language);
    }
    return made;
  }();
  const auto at = table.find(c);
  return at == table.end() ? 0 : at->second;
}

bool is_formula_word(std::string_view word) {
  static const auto set = [] {
    std::unordered_set<std::string_view> made;
    for_each_word(kFormulaWords, [&](std::string_view w) { made.insert(w); });
    return made;
  }();
  return set.contains(word);
}

Script script_of(char32_t c) {
  struct Range {
    char32_t first, last;
    Script script;
  };
  static constexpr Range kRanges[]{
      {0x41, 0x24F, Script::kLatin},     {0x370, 0x3FF, Script::kGreek},      {0x400, 0x52F, Script::kCyrillic},
      {0x530, 0x58F, Script::kArmenian}, {0x590, 0x5FF, Script::kHebrew},     {0x600, 0x6FF, Script::kArabic},
      {0x750, 0x77F, Script::kArabic},   {0x900, 0x97F, Script::kDevanagari}, {0x980, 0x9FF, Script::kBengali},
      {0xB80, 0xBFF, Script::kTamil},    {0xE00, 0xE7F, Script::kThai},       {0x10A0, 0x10FF, Script::kGeorgian},
      {0x1100, 0x11FF, Script::kHangul}, {0x1E00, 0x1EFF, Script::kLatin},    {0x1F00, 0x1FFF, Script::kGreek},
      {0x3005, 0x3007, Script::kHan},    {0x3040, 0x30FF, Script::kKana},     {0x31F0, 0x31FF, Script::kKana},
      {0x3400, 0x9FFF, Script::kHan},    {0xAC00, 0xD7AF, Script::kHangul},   {0xF900, 0xFAFF, Script::kHan},
      {0xFB1D, 0xFB4F, Script::kHebrew}, {0xFB50, 0xFDFF, Script::kArabic},   {0xFE70, 0xFEFF, Script::kArabic},
      {0xFF21, 0xFF5A, Script::kLatin},  {0xFF66, 0xFF9D, Script::kKana},     {0x20000, 0x3FFFF, Script::kHan},
  };
  for (const auto& range : kRanges) {
    if (c <= range.last) return c >= range.first ? range.script : Script::kOther;
  }
  return Script::kOther;
}

double chars_per_word(Script script) {
  return script == Script::kHan ? 1.5 : script == Script::kKana ? 2.5 : script == Script::kThai ? 4 : 0;
}

}  // namespace r1::rewards
