/** The words by which a text states its answer, in the languages that models answer in most. Every pattern is bounded, so that work is linear. */

import { hasOtherSigns } from "./digits.ts";

const english =
  /\b(?:answers?|(?:correct|right|best|(?:most[ \t]{1,4})?likely)[ \t]{1,8}(?:options?|choices?|statements?))\b(?:[ \t]{1,8}[^\s.:=?!]{1,20}){0,6}?[ \t]{0,8}[*_"'”’]{0,3}[ \t]{0,8}(?:\b(?:is|are|was|be)\b|:|=|\|(?=[ \t]{0,8}[^\s|-]))/giu;

/** Spanish, Portuguese, French, Italian, German, Dutch, Swedish, Polish, Turkish, Indonesian, Vietnamese, Russian, Ukrainian, Greek, Arabic, Persian, Hindi, Bengali, Thai. */
const spaced =
  /(?<![\p{L}])(?:respuesta|resposta|r[ée]ponse|risposta|antwort|lösung|ergebnis|antwoord|svaret|svar|odpowiedź|cevap|yanıt|jawabannya|jawaban|soluci[oó]n|solução|soluzione|đáp án|câu trả lời|(?:opci[oó]n|opção|alternativa|opzione|option|letra)\s{1,4}(?:correcta|correta|corretta|correcte)|ответом|ответ|відповідь|απάντηση|(?:ال)?[إا]جابة|(?:ال)?جواب|پاسخ|उत्तर|जवाब|উত্তর|คำตอบ)(?:\s{1,4}[\p{L}\p{M}'’]{1,16}){0,3}?\s{0,4}[*_]{0,3}\s{0,4}(?:[:：=]|[-–—](?=\s)|(?<![\p{L}\p{M}])(?:es|é|est|è|ist|lautet|is|är|to|adalah|ialah|là|هو|هي|است|है|হল|হলো|είναι|является|равен|равно|равна|это|будет)(?![\p{L}\p{M}])|คือ|(?=\s{0,3}(?:\p{Nd}|\(|\$|\\))|(?<=\s)(?=(?:[A-Z]|[أبجدهАБГ])(?![\p{L}\p{M}])))/giu;

/** Chinese, Japanese, Korean. */
const unspaced =
  /(?:答案|正解|答え|解答|回答|正答|정답|(?<![\p{L}])답|答(?=[：:]))(?:选项|選項|应该|應該|应|應|就|可能|也|로)?(?:是|为|為|选|選|等于|等於|は|が|은|는|이|[：:=])?(?:选项|選項|选|選)?[：:\s]{0,3}|(?:[故则則應应以此我就]|正确|正確|只有)?(?:[选選](?:择|擇|项|項)?|(?:选项|選項)(?:是|为|為))[：:\s]{0,3}(?=[(（【]?[A-ZＡ-Ｚ](?![A-Za-z]))/gu;

const otherWords =
  /respuesta|resposta|reponse|risposta|antwort|ergebnis|antwoord|svar|cevap|jawaban|solucion|soluzione|opcion|alternativa|opzione|correcte/i;

/** Where the statements of an answer begin: behind "the answer is", "Answer:" and the like, in order. */
export function answerCues(text: string): { cue: number; start: number }[] {
  const cues = found(text, english);
  const isPlain = !hasOtherSigns(text);
  if (isPlain && (cues.length > 0 || !otherWords.test(text))) return cues;
  const other = [...found(text, spaced), ...(isPlain ? [] : found(text, unspaced))];
  return [...cues, ...other].sort((first, second) => first.start - second.start);
}

function found(text: string, pattern: RegExp): { cue: number; start: number }[] {
  const places: { cue: number; start: number }[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    places.push({ cue: match.index, start: match.index + match[0].length });
    if (match[0] === "") pattern.lastIndex++;
  }
  return places;
}
