/**
 * Monte Carlo tree search over whole answers, as numbers alone: which node to go on from, and what its worth is after every visit. Nodes
 * are numbered in the order they were added, never told apart by their text, so that equal answers make no cycle. Scores are in [0, 1], the
 * scale the usual exploration constant (about √2) is made for.
 */

export interface SearchConstants {
  /** c in Q + c · √(ln(N(father) + 1) / (N + ε)). */
  exploration: number;
  /** ε of the same. */
  epsilon: number;
  /** A node with as many children is gone on from only while none of them is worth more than it. */
  maxChildren: number;
}

interface TreeNode {
  parent: number | undefined;
  children: number[];
  /** Every score that could be read, in the order it was given. */
  scores: number[];
  visits: number;
  /** Q, with what its children are worth. */
  value: number;
}

export class AnswerTree {
  readonly #constants: SearchConstants;
  readonly #nodes: TreeNode[] = [];

  constructor(constants: SearchConstants) {
    this.#constants = constants;
  }

  /** A new node with one visit, which counts for every node above it; its number. Without a parent it is one of the roots. */
  add(parent?: number): number {
    const node = this.#nodes.push({ parent, children: [], scores: [], visits: 0, value: 0 }) - 1;
    if (parent !== undefined) this.#nodes[parent].children.push(node);
    for (const above of this.#upwards(node)) this.#nodes[above].visits += 1;
    this.#backUp(node);
    return node;
  }

  /** One more score of a node; every level above it learns of it. */
  score(node: number, score: number): void {
    this.#nodes[node].scores.push(score);
    this.#backUp(node);
  }

  /** Worth of the node's own answer; undefined while nobody could score it. */
  qualityOf(node: number): number | undefined {
    return quality(this.#nodes[node].scores);
  }

  /** Worth of the node and of what came of it: half its own, half its best child's. */
  valueOf(node: number): number {
    return this.#nodes[node].value;
  }

  visitsOf(node: number): number {
    return this.#nodes[node].visits;
  }

  /** The open node with the highest bound, the earliest of equals. There always is one: a node without children is open. */
  select(): { node: number; bound: number } {
    const { exploration, epsilon } = this.#constants;
    let best = { node: -1, bound: Number.NEGATIVE_INFINITY };
    for (const [node, { parent, visits, value }] of this.#nodes.entries()) {
      if (!this.isOpen(node)) continue;
      const parentVisits = parent === undefined ? this.#rootVisits() : this.#nodes[parent].visits;
      const bound = upperBound(value, visits, parentVisits, exploration, epsilon);
      if (bound > best.bound) best = { node, bound };
    }
    return best;
  }

  /** Whether it may still be gone on from. */
  isOpen(node: number): boolean {
    const { children } = this.#nodes[node];
    const own = this.qualityOf(node) ?? 0;
    return children.length < this.#constants.maxChildren || !children.some((child) => this.#nodes[child].value > own);
  }

  #backUp(node: number): void {
    for (const above of this.#upwards(node)) {
      const { children } = this.#nodes[above];
      const own = this.qualityOf(above) ?? 0;
      const best = Math.max(...children.map((child) => this.#nodes[child].value));
      this.#nodes[above].value = children.length === 0 ? own : (own + best) / 2;
    }
  }

  /** The node itself and all above it. */
  *#upwards(node: number): Generator<number> {
    for (let above: number | undefined = node; above !== undefined; above = this.#nodes[above].parent) yield above;
  }

  #rootVisits(): number {
    return this.#nodes.reduce((sum, { parent, visits }) => sum + (parent === undefined ? visits : 0), 0);
  }
}

/** Q = (min + mean) / 2 of the scores; undefined without any. */
export function quality(scores: readonly number[]): number | undefined {
  if (scores.length === 0) return undefined;
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return (Math.min(...scores) + mean) / 2;
}

/** UCT: what a node is worth at most, as far as its visits can tell. */
export function upperBound(value: number, visits: number, parentVisits: number, exploration: number, epsilon: number): number {
  return value + exploration * Math.sqrt(Math.log(parentVisits + 1) / (visits + epsilon));
}
