/** What stands beside an answer and is no part of it. Every pattern is bounded, so that work is linear. */

const asideLine =
  /^[ \t]{0,20}[>*_#-]{0,4}[ \t]{0,4}(?:confidence|certainty|probability|score|difficulty|time taken|tokens|source|sources|references?|note|置信度|信心)\b[^\n]{0,200}$/gim;
const aside =
  /[([]\s{0,2}(?:see|cf\.?|from|by|via|using|as in|step|steps|eq\.?|equation|page|p\.|line|lines|section|table|figure|fig\.|ref\.?|source|confidence)\b[^()[\]]{0,80}[)\]]/gi;
const citation = /(?<=[\p{L}\d%.,;!?)"”\]][ \t]?)\[\d{1,3}(?:[,–-]\s?\d{1,3}){0,5}\]/gu;
const courtesy =
  /(?:let me know|i hope|hope this|feel free|do you (?:want|need|have|like)|would you like|if you (?:want|need|have|would)|want me to|shall i|i can (?:give|show|provide)|thanks|thank you)\b[^\n.!?]{0,200}/gi;

/** Without what stands beside an answer: confidence, references to steps and sources, what a chat closes with. */
export function withoutAsides(text: string): string {
  let plain = text;
  if (/confiden|certain|probab|score|difficul|time taken|tokens|source|reference|note|置信|信心/i.test(plain))
    plain = plain.replace(asideLine, "");
  if (/[([]/.test(plain)) {
    plain = plain.replace(aside, "");
    const end = plain.slice(-300);
    if (/\[\d/.test(end) && /\d[^\n[]{0,80}\[\d/.test(end)) plain = plain.replace(citation, "");
  }
  if (/you|thank|hope|shall|want/i.test(plain)) plain = plain.replace(courtesy, "");
  return plain.trim() === "" ? text : plain;
}

/** "Ann (see line 3)" is Ann. */
export function withoutReferences(text: string): string {
  return /[([]/.test(text) ? text.replace(aside, "").replace(citation, "").trim() : text;
}
