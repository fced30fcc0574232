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
  /n't\b|\b(?:not|never|no|cannot|neither|nor|but|except|other than|rather|instead|wrong|incorrect|false|worst|least|bad|mistak|erron|distract|trap|tempt|naive|rul|eliminat|exclud|reject|discard|doubt|unlikely|impossible|if|unless|suppos|assum|were|had|whether|imagine|might|may|could|thought|believed|guess|would|should|some|many|most|far from|careless|hast|sloppy|opposed|in place of|as|invalid|untrue|hardly|pas|nunca|nicht|kein|keine|falsch|niemals|jamais|faux|fausse|errad)/i;
const otherTrigger =
  /n’t|não|не|нельзя|никогда|[不非错錯误誤排并並絕绝]|ない|では|じゃ|ありません|違|아니|아닙|틀|오답|ليس|خاطئ|خطأ|لا|नहीं|गलत/iu;

/** Ends of stretches that are judged one by one. */
const borders =
  /[.!?。！？](?=["'”’)\]*_]*(?:\s|$|[^\p{ASCII}]))|[。！？；，\n;]|,(?=\s|[^\d\s])|(?<!\b(?:anything|everything|nothing|all))\s(?=(?:so|but|hence|therefore|thus|then|leaving|while|whereas|because|since|which|sondern|aber|sino|pero|mais|але|но|instead(?! of))(?![\p{L}])|as (?:the|all|both|it|no|none)(?![\p{L}])|and (?:(?:the|it|so|thus|we|i|instead|therefore|hence) |\(?(?:option )?\w\)? (?:is|must|seems|fits)))|(?=而是|所以|因此|但)/giu;

/** From here to the end of the stretch. */
const denyingAhead =
  /(?:\b(?:not(?! (?:only|just|hard|difficult|surpris|too|to mention|least))|never|cannot|neither|nor|anything but|nothing but(?! )|everything but|all but|no longer|far from|except(?: for)?|other than|rather than|instead of|as opposed to|in place of|is no(?= )|rul(?:e|es|ed|ing) out|eliminat(?:e|es|ed|ing)|exclud(?:e|es|ed|ing)|reject(?:s|ed|ing)?|discard(?:s|ed|ing)?|doubt(?:s|ed|ful)?(?! (?:that )?it)|unlikely|impossible|refuse)|n['’]t)(?![\p{L}])|(?<![\p{L}])(?:no (?:es|puede|son)|nunca|não|nicht|kein|keine|niemals|(?:n['’]est |ne (?:peut|sont) )?pas|jamais|не|нельзя|никогда)(?![\p{L}])|不是|不选|不選|不能|不可能|不会|不為|不为|并非|並非|絕非|绝非|排除|(?:ليس|ليست|لا)(?![\p{L}])/iu;

/** The stretch says of what it names that it is no answer, or that others say so. */
const denyingWhole =
  /(?:\b(?:is|are|was|were|be|seems?|looks?|as)|['’]s)(?: \p{L}{1,16})? (?:wrong|incorrect|false|invalid|untrue|mistaken|erroneous|ruled out|eliminated|excluded|rejected|tempting)(?![\p{L}])|\b(?:wrong|incorrect|worst|false|invalid|mistaken|erroneous|bad|naive|tempting) (?:answer|option|choice|one|result|value|number|response|conclusion|guess|solution|candidate|letter)\b|\b(?:distractor|trap)\b|\bleast (?:likely|probable|plausible|suitable|appropriate|correct|good)\b|(?:\bnot|n['’]t|\bnever|\bcannot be|\bhardly) (?:be |even |quite |entirely |fully )?(?:the |a |an )?(?:correct|right|true|valid|possible|the case|answer|correct answer|right answer|solution|fit|fits|work|works|apply|match|good)\b|\b(?:careless|hasty|sloppy|naive|inattentive) \p{L}{1,16} (?:gets?|got|finds?|says?|answers?|writes?|obtains?|might|may|would|will)\b|\b(?:might|may|could|would|should) (?:be tempted|think|say|guess|believe|expect|assume|wrongly)\b|\b(?:thought|believed|assumed|guessed|tempted)\b|\b(?:some|many|most)(?: \p{L}{1,16})? (?:would |will |may |might )?(?:say|think|answer|claim|believe|guess)\b|\bwould(?: have)? be(?:en)?\b.{0,80}\bif\b|(?<![\p{L}])(?:falsch|faux|fausse|incorrect[oea]s?|errónea|errad[oa]|неверн\p{L}*|неправильн\p{L}*)(?![\p{L}])|错误|錯誤|错的|不对|不對|不正确|不正確|不符|ではな|じゃな|ではありません|間違|誤り|違います|違う|아니|아닙|틀린|틀렸|틀립|오답|خاطئ|خطأ|नहीं|गलत/iu;

/** Supposes and asks. */
const supposing = /^[\s"'“(*_-]*(?:even )?(?:if|unless|suppos(?:e|ing)|assum(?:e|ing)|were|had|whether|imagine|say)(?![\p{L}])/iu;
/** Takes back what was said just before. */
const takingBack = /^[\s"'”’)*_.…-]*(?:no|nope|wrong|non|nein|nie|нет)\s*[,:;.!—–-]/iu;
const takingBackAQuestion = /^[\s"'”’)*_-]*(?:no|nope|not|wrong|never|hardly|non|nein|нет|不|いいえ)(?![\p{L}])/iu;
/** "the people who could not come": what is said of a thing, not of the answer. */
const ofOthers =
  /\b(?:who|that|which|whose)\s(?:(?:is|are|was|were|has|have|had|do|does|did|could|would|ca|can|will|wo|should)\s?)?$/i;
/** "and so is option C", "nor C" */
const goingOn = /^[\s]*(?:and )?(?:so|neither|nor|as|also|likewise) (?:is|are|was|does|do)\b/iu;
const notDoubting = /\b(?:no|without(?: a)?|beyond(?: any)?) doubt\b/giu;

const mayDeny = (text: string) => trigger.test(text) || (hasOtherSigns(text) && otherTrigger.test(text));

/** The text with `blank` for every character that it denies, of the same length. */
export function withoutDenied(text: string): string {
  if (!mayDeny(text)) return text;
  const plain = text.replace(notDoubting, (words) => " ".repeat(words.length));
  const ends = [...plain.matchAll(borders)].map((match) => ({ at: match.index, mark: match[0] }));
  ends.push({ at: plain.length, mark: "" });
  let result = "";
  let start = 0;
  let wasDenied = false;
  for (const { at, mark } of ends) {
    const stretch = plain.slice(start, at);
    const [from, to] = deniedPart(stretch, mark, plain.slice(at + mark.length, at + mark.length + 40), wasDenied);
    result += text.slice(start, start + from) + blank.repeat(to - from) + text.slice(start + to, at + mark.length);
    if (stretch.trim() !== "") wasDenied = to > from && !/[.!?。！？\n]/.test(mark);
    start = at + mark.length;
  }
  return result;
}

function deniedPart(stretch: string, mark: string, after: string, wasDenied: boolean): [from: number, to: number] {
  const whole: [number, number] = [0, stretch.length];
  // The long patterns are slow, and most stretches hold none of their words.
  const holdsSigns = mayDeny(stretch);
  if (holdsSigns && (denyingWhole.test(stretch) || supposing.test(stretch))) return whole;
  if (wasDenied && (goingOn.test(stretch) || isBareList(stretch))) return whole;
  if (takingBack.test(after) && /[.!?…]/.test(mark)) return whole;
  if (/[?？]/.test(mark) && takingBackAQuestion.test(after)) return whole;
  const ahead = holdsSigns ? denyingAhead.exec(stretch) : null;
  if (ahead === null || ofOthers.test(stretch.slice(Math.max(0, ahead.index - 24), ahead.index))) return [0, 0];
  return [ahead.index, stretch.length];
}

/** ", B and C" goes on with what was denied before it. */
function isBareList(stretch: string): boolean {
  const words = stretch.match(/[\p{L}\p{N}]+/gu) ?? [];
  return (
    words.length > 0 && words.every((word) => /^(?:and|or|nor|options?|choices?|\p{N}{1,12}|\p{Lu}{1,2}|\p{L})$/u.test(word))
  );
}
