/**
 * What PTR (arXiv 2410.13413) says after every answer to have it improved, in our words: always the same, in training as at test, because a
 * model that was trained with one request need not know another.
 */
export const refineRequest =
  "Think about your answer once more: correct what is wrong in it, make it more precise and more complete, and write the whole improved answer.";
