"""The programs in the README of an export, as templates for `str.format`. The tests run them."""

PROGRAMS = """
## Python

```python
import json

import numpy as np
import onnxruntime

export = json.load(open("export.json", encoding="utf-8"))
characters = export["characters"]
session = onnxruntime.InferenceSession("model.onnx")
source = {quoted}
symbols = source.split(export["source_separator"]) if export["source_separator"] else source
source_ids = np.array([[characters.index(symbol) for symbol in symbols]])
ids, score = session.run(["ids", "score"], {{"source": source_ids}})
answer = [characters[each] for each in ids[0] if each != export["pad"]]
answer = answer[::-1] if export["reverse_target"] else answer
print(export["target_separator"].join(answer), np.exp(score[0]))
```

## JavaScript

```js
import {{ readFileSync }} from "node:fs";
import ort from "onnxruntime-node"; // in a browser, onnxruntime-web and fetch

const exported = JSON.parse(readFileSync("export.json", "utf8"));
const session = await ort.InferenceSession.create("model.onnx");
const source = {quoted};
const symbols = exported.source_separator ? source.split(exported.source_separator) : [...source];
const sourceIds = BigInt64Array.from(symbols, (symbol) => BigInt(exported.characters.indexOf(symbol)));
const {{ ids, score }} = await session.run({{ source: new ort.Tensor("int64", sourceIds, [1, symbols.length]) }});
const found = Array.from(ids.data, Number).filter((id) => id !== exported.pad);
const answer = exported.reverse_target ? found.reverse() : found;
const text = answer.map((id) => exported.characters[id]).join(exported.target_separator);
console.log(text, Math.exp(score.data[0]));
```

## C++

Each argument is a symbol of the source; the symbols of the answer are printed in the order of `ids`.

```cpp
#include <onnxruntime_cxx_api.h>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

int main(int count, char** arguments) {{
  const std::vector<std::string> characters = {{{literals}}};
  std::vector<int64_t> ids;
  for (int i = 1; i < count; i++)
    ids.push_back(std::find(characters.begin(), characters.end(), arguments[i]) - characters.begin());
  Ort::Env env;
  Ort::Session session(env, "model.onnx", Ort::SessionOptions());
  const int64_t shape[] = {{1, int64_t(ids.size())}};
  auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  auto source = Ort::Value::CreateTensor<int64_t>(memory, ids.data(), ids.size(), shape, 2);
  const char *inputs[] = {{"source"}}, *outputs[] = {{"ids", "score"}};
  auto found = session.Run(Ort::RunOptions(), inputs, &source, 1, outputs, 2);
  const int64_t* answer = found[0].GetTensorData<int64_t>();
  for (size_t i = 0; i < found[0].GetTensorTypeAndShapeInfo().GetElementCount(); i++)
    std::cout << characters[answer[i]];
  std::cout << " " << std::exp(*found[1].GetTensorData<float>()) << std::endl;
}}
```
"""
PROGRAMS_OF_TEXT = """
## Python

```python
import json

import numpy as np
import onnxruntime

export = json.load(open("export.json", encoding="utf-8"))
characters = export["characters"]
session = onnxruntime.InferenceSession("model.onnx")
states = {{each.name: np.zeros([size if isinstance(size, int) else 1 for size in each.shape], np.float32)
          for each in session.get_inputs()[1:]}}
source_ids = np.array([[characters.index(symbol) for symbol in {quoted}]])
found, *states_after = session.run(None, {{"source": source_ids, **states}})
found[0, export["pad"]] = -np.inf
print(characters[found[0].argmax()], np.exp(found[0].max()))
```

## JavaScript

```js
import {{ readFileSync }} from "node:fs";
import ort from "onnxruntime-node"; // in a browser, onnxruntime-web and fetch

const exported = JSON.parse(readFileSync("export.json", "utf8"));
const session = await ort.InferenceSession.create("model.onnx");
const sourceIds = BigInt64Array.from({quoted}, (symbol) => BigInt(exported.characters.indexOf(symbol)));
const feeds = {{ source: new ort.Tensor("int64", sourceIds, [1, sourceIds.length]) }};
for (const {{ name, shape }} of session.inputMetadata.slice(1)) {{
  const sizes = shape.map((size) => (typeof size === "number" ? size : 1));
  feeds[name] = new ort.Tensor("float32", new Float32Array(sizes.reduce((a, b) => a * b)), sizes);
}}
const {{ log_probabilities: found }} = await session.run(feeds);
found.data[exported.pad] = -Infinity;
const best = found.data.indexOf(Math.max(...found.data));
console.log(exported.characters[best], Math.exp(found.data[best]));
```
"""
