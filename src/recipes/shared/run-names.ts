/** What several runs are called beside each other: by their folders, which tell copies of one run apart too. */
import path from "node:path";

/** As much of each folder's path, from its end, as tells it from the others; a folder that is named twice is numbered. */
export function runNames(folders: readonly string[]): string[] {
  const parts = folders.map((folder) => path.resolve(folder).split(path.sep));
  const names = parts.map((own) => {
    const others = parts.filter((each) => each.join(path.sep) !== own.join(path.sep));
    const isAlone = (length: number) => others.every((each) => each.slice(-length).join("/") !== own.slice(-length).join("/"));
    let length = 1;
    while (length < own.length && !isAlone(length)) length++;
    return own.slice(-length).join("/");
  });
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (named again${before === 1 ? "" : `, ${before + 1}`})`;
  });
}
