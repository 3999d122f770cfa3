/** From the kitchen, as the engine's name is: sixty by eighty, and a number when that does not suffice. */
const adjectives =
  "amber baked balmy blanched braised bright brisk browned buttered candied caramel chilled clear coddled cosy creamy crisp crusty curried dappled dusted fluffy fragrant fresh frosted gentle gilded glazed golden grilled hearty honeyed juicy leavened lively mellow merry minted mulled nimble nutty peppered pickled poached proofed quiet rich roasted rolled rustic savoury seared silky simmered smoked sunny tender toasted warm whisked".split(
    " ",
  );
const nouns =
  "almond anise apricot artichoke aubergine bagel barley basil bay beet biscuit brioche caper caraway cardamom carrot cashew celery chard cherry chervil chestnut chicory chive cinnamon clementine clove cobbler coriander crumble cumin currant custard dill dumpling endive fennel fig flan galangal ginger gratin hazelnut juniper kale leek lemon lentil lovage mace marjoram marzipan melon millet mulberry mustard nutmeg okra olive oregano paprika parsnip pecan plum pomelo popover pudding quince radish rosemary saffron sage shallot sorrel souffle sumac tarragon thyme turmeric walnut".split(
    " ",
  );

/** `golden_quince`; from the third attempt on with a number, so that a full store still finds one. */
export function suggestName(attempt: number): string {
  const randomInt = (below: number) => Math.floor(Math.random() * below);
  const pick = (words: readonly string[]) => words[randomInt(words.length)];
  return `${pick(adjectives)}_${pick(nouns)}${attempt < 2 ? "" : randomInt(10 ** Math.min(attempt, 9))}`;
}
