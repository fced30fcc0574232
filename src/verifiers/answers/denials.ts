/**
 * What a text denies, doubts or reports of others, so that it is not read as what the text answers: "not 5", "A is wrong", "a common wrong
 * answer is 5", "one might think it is B", "if the answer were 7". Such stretches are blanked; what is left is what the text says itself.
 * Linear in the text.
 */

import { hasOtherSigns } from "./digits.ts";

/** Stands for each character of what is denied: no letter, no digit, no space. */
export const blank = "\ufffc";

/** Signs that anything at all is denied; most sentences deny nothing. */
const trigger =
  /n't\b|\b(?:not|never|no|cannot|neither|nor|but|except|other than|rather|instead|wrong|incorrect|false|worst|least|bad|mistak|erron|distract|trap|tempt|naive|rul|eliminat|exclud|reject|discard|doubt|unlikely|impossible|too|out|if|unless|suppos|assum|were|had|whether|imagine|might|may|could|thought|believed|guess|would|should|some|many|most|far from|careless|hast|sloppy|opposed|in place of|as|invalid|untrue|hardly|differ|error|wait|scratch|correction|oops|sorry|which|that|this|few|pas|nunca|nicht|kein|keine|falsch|niemals|jamais|faux|fausse|errad|non|niet|geen|inte|nie|bukan|tidak)/i;
const otherTrigger =
  /n’t|não|нет|не|нельзя|никогда|değil|không|δεν|নয়|ไม่|نیست|أ|لن|[✗✘❌]|[不非错錯误誤排并並絕绝]|ない|では|じゃ|ありません|違|아니|아닙|틀|오답|ليس|خاطئ|خطأ|لا|नहीं|गलत/iu;

/** Ends of stretches that are judged one by one. */
const borders =
  /[.!?。！？](?=["'”’)\]*_]*(?:\s|$|[^\p{ASCII}]))|[。！？；，、\n;]|,(?=\s|[^\d\s])|(?<!\b(?:anything|everything|nothing|all))\s(?=(?:so|but|hence|therefore|thus|then|leaving|leaves|while|whereas|because|since|which|sondern|aber|sino|pero|mais|але|но|instead(?! of))(?![\p{L}])|as (?:the|all|both|it|no|none)(?![\p{L}])|and (?:(?:the|it|so|thus|we|i|instead|therefore|hence) |\(?(?:option )?\w\)? (?:is|must|seems|fits)))|(?=而是|所以|因此|但)|(?<=ではなく|じゃなくて|でなく)/giu;

/** From here to the end of the stretch. */
const denyingAhead =
  /(?:\b(?:not(?! (?:only|just|hard|difficult|surpris|too|to mention|least))|never|cannot|neither|nor|anything but|nothing but(?! )|everything but|all but|no longer|by no means|(?:in )?no (?:way|chance|possibility)|nowhere near|hardly|(?:is |are |was )?different (?:from|to|than)|differs? (?:from|to)|does(?:n['’]t| not) equal|unequal to|far from|except(?: for)?|(?<!(?:nothing|none|no one) )other than|rather than|instead of|as opposed to|in place of|is no(?= )|rul(?:e|es|ed|ing) out|eliminat(?:e|es|ed|ing)|exclud(?:e|es|ed|ing)|reject(?:s|ed|ing)?|discard(?:s|ed|ing)?|doubt(?:s|ed|ful)?(?! it[.,;!])|unlikely|impossible|refuse)|n['’]t)(?![\p{L}])|(?<![\p{L}])(?:no (?:es|puede|son)|non (?:è|e|sono|può)|niet|geen|inte|nie (?:jest|są)|bukan|tidak|değil|không phải|δεν|nunca|não|nicht|kein|keine|niemals|(?:n['’]est |ne (?:peut|sont) )?pas|jamais|не|нельзя|никогда)(?![\p{L}])|不是|不选|不選|不能|不可能|不会|不為|不为|并非|並非|絕非|绝非|排除|(?:ليس|ليست|لا)(?![\p{L}])/iu;

/** The stretch says of what it names that it is no answer, or that others say so. */
const denyingWhole =
  /(?:\b(?:is|are|was|were|be|seems?|looks?|as)|['’]s)(?: \p{L}{1,16})? (?:wrong|incorrect|false|invalid|untrue|mistaken|erroneous|ruled out|eliminated|excluded|rejected|tempting)(?![\p{L}])|\b(?:wrong|incorrect|worst|false|invalid|mistaken|erroneous|bad|naive|tempting) (?:answer|option|choice|one|result|value|number|response|conclusion|guess|solution|candidate|letter)(?:\b|s (?:are|were|include)\b|s:)|\b(?:distractor|trap)\b|\bleast (?:likely|probable|plausible|suitable|appropriate|correct|good)\b|(?:\bnot|n['’]t|\bnever|\bcannot be|\bhardly) (?:be |even |quite |entirely |fully )?(?:the |a |an )?(?:correct|right|true|valid|possible|the case|answer|correct answer|right answer|solution|fit|fits|work|works|apply|match|good)\b|\b(?:careless|hasty|sloppy|naive|inattentive) \p{L}{1,16} (?:gets?|got|finds?|says?|answers?|writes?|obtains?|might|may|would|will)\b|\b(?:might|may|could|would|should) (?:be tempted|think|say|guess|believe|expect|assume|wrongly)\b|\b(?:thought|believed|assumed|guessed|tempted)\b|\b(?:nobody|no one|no-one|few|none of (?:us|them|you))\b(?: \p{L}{1,16}){0,2} (?:says?|thinks?|claims?|believes?|answers?|gets?|got|chooses?|picks?)\b|\b(?:mistake|error|wrong) to (?:say|think|claim|believe|answer|assume|conclude|choose|pick)\b|\b(?:is|are|seems?|looks?|be) (?:very |highly |quite )?(?:unlikely|impossible|implausible)\b|\b(?:is|are) (?:out(?= of the question|[\s.,;]*$)|too (?:small|large|big|high|low|few|many|short|long|broad|narrow|weak|strong|extreme|vague)\b)|^\W*(?:option )?[A-Z]\)?\s?(?::|=|→|->|[–-]\s)\s?(?:wrong|incorrect|false|no\b|[✗✘❌])|\b(?:some|many|most(?! (?:likely|probable|plausible|suitable|appropriate|accurate|correct|obvious|natural|reasonable)))(?: \p{L}{1,16})? (?:would |will |may |might )?(?:say|think|answer|claim|believe|guess|get|got|obtain|arrive at|end up with)\b|\bwould(?: have)? be(?:en)?\b.{0,80}\b(?:if|unless|had (?:she|he|it|they|we|I|you|there|the)|were (?:she|he|it|they|we|I|you|there|the)|without)\b|(?<![\p{L}])(?:falsch|faux|fausse|incorrect[oea]s?|errónea|errad[oa]|неверн\p{L}*|неправильн\p{L}*)(?![\p{L}])|错误|錯誤|错的|不对|不對|不正确|不正確|不符|ではな|じゃな|ではありません|間違|誤り|違います|違う|아니|아닙|틀린|틀렸|틀립|오답|خاطئ|خطأ|नहीं|गलत/iu;

/** Supposes and asks. */
const supposing = /^[\s"'“(*_-]*(?:even )?(?:if|unless|suppos(?:e|ing)|assum(?:e|ing)|were|had|whether|imagine|say)(?![\p{L}])/iu;
/** Takes back what was said just before. */
const takingBack = /^[\s"'”’)*_.…-]*(?:no|nope|wrong|non|nein|nie|нет)\s*[,:;.!—–-]/iu;
const takingBackAQuestion =
  /^[\s"'”’)*_-]*(?:(?:definitely|certainly|absolutely|surely|clearly|probably|of course) not|no|nope|not|wrong|never|hardly|non|nein|нет|不|いいえ)(?![\p{L}])/iu;
/** "the people who could not come": what is said of a thing, not of the answer. */
const ofOthers =
  /\b(?:who|that|which|whose)\s(?:(?:is|are|was|were|has|have|had|do|does|did|could|would|ca|can|will|wo|should)\s?)?$/i;
/** "and so is option C", "nor C" */
const goingOn = /^[\s]*(?:and )?(?:so|neither|nor|as|also|likewise) (?:is|are|was|does|do)\b/iu;
const notDoubting = /\b(?:no|without(?: a)?|beyond(?: any)?) doubt\b/giu;

const mayDeny = (text: string) => trigger.test(text) || (hasOtherSigns(text) && otherTrigger.test(text));

/** What follows takes it back: ", which is wrong", ". That was a mistake", ", no wait, 7", ". Scratch that" */
const takenBackBehind =
  /^[\s"'”’)*_.…—–-]{0,8}(?:(?:but |and |though |although |however,? )?(?:which|that|this|it)(?:['’]s| is| was| would be| must be| turned out to be| proved(?: to be)?| seems?) (?:\p{L}{1,16} )?(?:wrong|incorrect|false|mistaken|erroneous|impossible|absurd|nonsense|an? (?:mistake|error|contradiction)|not (?:right|correct|possible|the (?:\p{L}{1,10} )?answer))(?![\p{L}])|(?:no|oh|but),? wait\b|wait[,:.!…—–-]{0,4}\s(?:no|that|it|the (?:correct )?answer|actually|sorry|[-−]?\d)|(?:scratch|strike|make) that\b|correction\b|oops\b|sorry[,:.]|my mistake\b|I made an? (?:mistake|error)\b)/iu;
/** "might be 5, but it is 7" */
const hedging = /\b(?:might|may|could|seems?|appears?|looks? like|at first)\b/i;
const settledBehind =
  /^,?\s*but (?:it|the|in fact|in reality|actually|really|since)\b(?!.{0,30}\b(?:also|as well|could|might|may)\b).{0,30}(?:\b(?:is|must|are)\b|['’]s\b)/i;
const leftOpen =
  /\b(?:could|might|may|can|would)(?: \p{L}{1,12})? (?:also|as well|equally|just as well) be\b|\b(?:is|are|seems?|looks?) (?:also|equally|just as) (?:correct|right|possible|valid|plausible|acceptable|true|likely)\b/iu;

/** "could be 5. It could also be 7.": the text leaves open which. */
export const leavesOpen = (text: string): boolean => leftOpen.test(text);

/** Results are often told so as well: "if 2 sit on each, there would be 52 seats". */
const wouldBe = /\b(?:answer|option|choice|solution)\b.{0,40}\b(?:would|could|might)\b/i;

interface Stretch {
  from: number;
  to: number;
  /** Of them the part that is denied. */
  denied: [from: number, to: number];
  mark: string;
}

/** The text with `blank` for every character that it denies, of the same length. */
export function withoutDenied(text: string): string {
  if (!mayDeny(text)) return text;
  const plain = text.replace(notDoubting, (words) => " ".repeat(words.length));
  const ends = [...plain.matchAll(borders)].map((match) => ({ at: match.index, mark: match[0] }));
  ends.push({ at: plain.length, mark: "" });
  const stretches: Stretch[] = [];
  let start = 0;
  let wasDenied = false;
  let supposes = false;
  for (const { at, mark } of ends) {
    const stretch = plain.slice(start, at);
    let [from, to] = deniedPart(stretch, mark, plain.slice(at + mark.length, at + mark.length + 80), wasDenied);
    // "If there were no discount, the answer would be 5."
    if (supposes && wouldBe.test(stretch)) [from, to] = [0, stretch.length];
    if (areAllDenied.test(stretch) && to > from) denyListBefore(plain, stretches);
    stretches.push({ from: start, to: at, denied: [start + from, start + to], mark });
    if (stretch.trim() !== "") wasDenied = to > from && !/[.!?。！？\n]/.test(mark);
    supposes = !/[.!?。！？\n]/.test(mark) && (supposes || supposing.test(stretch));
    start = at + mark.length;
  }
  let result = "";
  for (const { denied, to, mark } of stretches)
    result +=
      text.slice(result.length, denied[0]) + blank.repeat(denied[1] - denied[0]) + text.slice(denied[1], to + mark.length);
  return result;
}

/** "…, B and C are wrong" says so of the list before it too. */
const areAllDenied =
  /^\s*(?:and |or )?(?:options? )?\(?[\p{L}\p{N}]{1,12}\)?(?:,? (?:and|or) \(?[\p{L}\p{N}]{1,12}\)?)? (?:are|were)\b/iu;

function denyListBefore(text: string, stretches: Stretch[]): void {
  for (let place = stretches.length - 1; place >= 0 && stretches[place].mark === ","; place--) {
    const stretch = stretches[place];
    if (!isBareList(text.slice(stretch.from, stretch.to))) return;
    stretch.denied = [stretch.from, stretch.to];
  }
}

function deniedPart(stretch: string, mark: string, after: string, wasDenied: boolean): [from: number, to: number] {
  const whole: [number, number] = [0, stretch.length];
  // The long patterns are slow, and most stretches hold none of their words.
  const holdsSigns = mayDeny(stretch);
  if (holdsSigns && (denyingWhole.test(stretch) || supposing.test(stretch))) return whole;
  if (wasDenied && (goingOn.test(stretch) || isBareList(stretch))) return whole;
  if (takingBack.test(after) && /[.!?…]/.test(mark)) return whole;
  if (/[?？]/.test(mark) && takingBackAQuestion.test(after)) return whole;
  if (stretch.trim() !== "" && takenBackBehind.test(after)) return whole;
  if (holdsSigns && hedging.test(stretch) && settledBehind.test(after)) return whole;
  const ahead = holdsSigns ? denyingAhead.exec(stretch) : null;
  if (ahead === null || ofOthers.test(stretch.slice(Math.max(0, ahead.index - 24), ahead.index))) return [0, 0];
  return [ahead.index, stretch.length];
}

const turning = /^\s*(?:а|но|sino|sondern|mais|pero|ma|bensì|maar|men|utan|lecz|ale|tylko|melainkan|mà|αλλά|बल्कि)\s/iu;

/** ", B and C" goes on with what was denied before it. */
function isBareList(stretch: string): boolean {
  if (turning.test(stretch)) return false;
  const words = stretch.match(/[\p{L}\p{N}]+/gu) ?? [];
  return (
    words.length > 0 && words.every((word) => /^(?:and|or|nor|options?|choices?|\p{N}{1,12}|\p{Lu}{1,2}|\p{L})$/u.test(word))
  );
}
