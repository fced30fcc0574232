"""What transformers and tokenizers say: reads a JSON request on standard input, writes a JSON reply on standard output."""

import json
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

TAGS = ["<think>", "</think>", "<refine>", "</refine>", "<answer>", "</answer>"]
LETTERS_AND_SIGNS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
SIGNS_AND_SPACE = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"


def byte_level(pattern, normalizer, texts, size, specials, ignore_merges=False):
    """A byte-level BPE tokenizer as the Qwen and Llama 3 families have them; numerals split as `pattern` says."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def make(request):
    kind, texts, folder = request["kind"], request["texts"], request["folder"]
    if kind == "qwen":
        specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        pattern = rf"{CONTRACTIONS}|{LETTERS_AND_SIGNS}|\p{{N}}|{SIGNS_AND_SPACE}"
        tokenizer = byte_level(pattern, normalizers.NFC(), texts, 600, specials)
        named = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    elif kind == "llama3":
        specials = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
        pattern = rf"{CONTRACTIONS}|{LETTERS_AND_SIGNS}|\p{{N}}{{1,3}}|{SIGNS_AND_SPACE}"
        tokenizer = byte_level(pattern, None, texts, 600, specials, ignore_merges=True)
        tokenizer.post_processor = processors.Sequence(
            [
                processors.ByteLevel(trim_offsets=False),
                processors.TemplateProcessing(
                    single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))]
                ),
            ]
        )
        named = {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}
    else:
        # As converted from SentencePiece with byte fallback: Llama 2 and its small descendants.
        specials = ["<unk>", "<s>", "</s>"]
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
        )
        trainer = trainers.BpeTrainer(
            vocab_size=700,
            special_tokens=specials + [f"<0x{byte:02X}>" for byte in range(256)],
            max_token_length=8,
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        # The bytes are ordinary entries, not added tokens.
        state = json.loads(tokenizer.to_str())
        state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] in specials]
        tokenizer = Tokenizer.from_str(json.dumps(state))
        named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **named)
    fast.add_tokens([AddedToken(tag, normalized=False, special=False) for tag in TAGS])
    fast.save_pretrained(folder)
    return {}


def compare(request):
    tokenizer = AutoTokenizer.from_pretrained(request["folder"])
    reply = {
        "size": len(tokenizer),
        "encoded": [tokenizer.encode(text, add_special_tokens=False) for text in request.get("texts", [])],
        "decoded": [
            tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False) for ids in request.get("ids", [])
        ],
        "chats": [],
    }
    for chat in request.get("chats", []):
        options = {"add_generation_prompt": chat.get("prompt", False), "continue_final_message": chat.get("continue", False)}
        if chat.get("template") is not None:
            options["chat_template"] = chat["template"]
        try:
            text = tokenizer.apply_chat_template(chat["messages"], tokenize=False, **options)
            ids = tokenizer.apply_chat_template(chat["messages"], tokenize=True, return_dict=False, **options)
            reply["chats"].append({"text": text, "ids": ids})
        except Exception as error:  # noqa: BLE001 - the test compares refusals, whatever their class
            reply["chats"].append({"error": str(error)})
    return reply


request = json.load(sys.stdin)
json.dump({"make": make, "compare": compare}[request["operation"]](request), sys.stdout)
