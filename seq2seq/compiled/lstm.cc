// The operator `seq2seq_lstm`: what MXNet's `RNN` computes in training with mode="lstm", faster on a CPU.
//
// Its parameters are laid out as those of `RNN`. See graph.py for its attributes, and lstm.h for the arithmetic. What the
// backward pass needs stays in this object: as an output, MXNet would fill a gradient of it with zeros in every step.

#include <mxnet/lib_api.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "lstm.h"

namespace {

using namespace mxnet::ext;
typedef std::unordered_map<std::string, std::string> Attributes;
typedef std::vector<std::vector<unsigned>> Shapes;

int64_t number(const Attributes& attributes, const char* name) { return std::stoll(attributes.at(name)); }

struct Options {
  int64_t units, layers, directions;
  int64_t vocabulary;  // of the ids to read, or 0 to read numbers
  int64_t repeats;     // steps that read the same, or 0 to read something else at each
  float dropout;       // fraction of the values between layers that are dropped

  explicit Options(const Attributes& attributes)
      : units(number(attributes, "state_size")),
        layers(number(attributes, "num_layers")),
        directions(number(attributes, "directions")),
        vocabulary(number(attributes, "vocabulary")),
        repeats(number(attributes, "repeats")),
        dropout(std::stof(attributes.at("dropout"))) {}

  int64_t width(int64_t layer, int64_t read) const { return layer ? directions * units : read; }
  int64_t weights(int64_t layer, int64_t read) const { return 4 * units * (width(layer, read) + units); }
  int64_t biases() const { return layers * directions * 8 * units; }
};

// Blocks of memory that are used again: a training has many graphs, of which one runs at a time.
class Pool {
 public:
  struct Block {
    size_t size = 0;
    float* at = nullptr;
  };

  Block take(size_t size) {
    std::lock_guard<std::mutex> guard(lock_);
    const auto found = free_.lower_bound(size);
    if (found == free_.end()) {
      float* at = static_cast<float*>(std::aligned_alloc(64, (4 * size + 63) / 64 * 64));
      if (!at) throw std::bad_alloc();
      return {size, at};
    }
    const Block block = {found->first, found->second};
    free_.erase(found);
    return block;
  }

  void give(Block block) {
    std::lock_guard<std::mutex> guard(lock_);
    if (block.at) free_.emplace(block.size, block.at);
  }

 private:
  std::mutex lock_;
  std::multimap<size_t, float*> free_;
};

Pool& pool() {
  static Pool* const pool = new Pool;  // never destroyed: MXNet destroys operators when the process ends
  return *pool;
}

MXReturnValue parse(const Attributes&, int* inputs, int* outputs) {
  *inputs = 4;
  *outputs = 3;
  return MX_SUCCESS;
}

MXReturnValue infer_types(const Attributes& attributes, std::vector<int>* inputs, std::vector<int>* outputs) {
  const bool ids = Options(attributes).vocabulary;  // these can be of any type
  std::fill(inputs->begin() + ids, inputs->end(), kFloat32);
  std::fill(outputs->begin(), outputs->end(), kFloat32);
  return MX_SUCCESS;
}

MXReturnValue infer_shapes(const Attributes& attributes, Shapes* inputs, Shapes* outputs) {
  const Options options(attributes);
  const std::vector<unsigned>& data = inputs->front();
  if (data.size() < 2 || (options.repeats && data[0] != 1)) return MX_FAIL;
  const unsigned steps = options.repeats ? options.repeats : data[0];
  const unsigned width = options.directions * options.units;
  const int64_t read = (data.size() > 2 ? data[2] : 1) * std::max<int64_t>(1, options.vocabulary);
  int64_t size = options.biases();
  for (int64_t layer = 0; layer < options.layers; ++layer) size += options.directions * options.weights(layer, read);
  const std::vector<unsigned> states = {unsigned(options.layers * options.directions), data[1], unsigned(options.units)};
  inputs->at(1) = {unsigned(size)};
  inputs->at(2) = inputs->at(3) = states;
  *outputs = {{steps, data[1], width}, states, states};
  return MX_SUCCESS;
}

template <class T>
void convert(const MXTensor& from, int64_t size, int32_t* to) {
  std::copy_n(static_cast<const T*>(from.data_ptr), size, to);
}

bool convert_ids(const MXTensor& from, int64_t size, int32_t* to) {
  switch (from.dtype) {
    case kFloat32: convert<float>(from, size, to); return true;
    case kFloat64: convert<double>(from, size, to); return true;
    case kUint8: convert<uint8_t>(from, size, to); return true;
    case kInt8: convert<int8_t>(from, size, to); return true;
    case kInt32: convert<int32_t>(from, size, to); return true;
    case kInt64: convert<int64_t>(from, size, to); return true;
    default: return false;
  }
}

class Lstm : public CustomStatefulOp {
 public:
  explicit Lstm(const Attributes& attributes) : options_(attributes) {}
  ~Lstm() override { pool().give(kept_); }

  // Inputs: data, parameters, hidden states, cells. Outputs: outputs, hidden states, cells.
  MXReturnValue Forward(std::vector<MXTensor>* inputs, std::vector<MXTensor>* outputs,
                        const OpResource& resources) override {
    const Sizes sizes(options_, inputs->at(0));
    if (kept_.size < sizes.kept()) {
      pool().give(kept_);
      kept_ = pool().take(sizes.kept());
    }
    int32_t* ids = sizes.ids_in(kept_.at);
    if (options_.vocabulary && !convert_ids(inputs->at(0), sizes.ids_size(), ids)) return MX_FAIL;
    const Pool::Block space = pool().take(std::max(sizes.layer(0).space(), sizes.layer(1).space()));
    const float* values = nullptr;
    for (int64_t number = 0; number < options_.layers; ++number) {
      const bool last = number + 1 == options_.layers;
      float* out = last ? outputs->at(0).data<float>() : sizes.between(kept_.at, number);
      const lstm::Layer layer = sizes.layer(number);
      const lstm::Read read = sizes.read(number, inputs->at(0), ids, values);
      for (int64_t direction = 0; direction < options_.directions; ++direction) {
        const int64_t place = number * options_.directions + direction;
        float* kept = kept_.at + place * layer.kept_size();
        lstm::forward(sizes.layer(number, direction), read,
                      weights<const float>(sizes, number, direction, inputs->at(1)),
                      states(sizes, place, inputs->at(2), inputs->at(3)), out + direction * options_.units, kept,
                      space.at);
        const int64_t end = direction ? 0 : sizes.steps - 1;
        for (int64_t row = 0; row < sizes.rows; ++row)
          std::copy_n(out + (end * sizes.rows + row) * layer.stride + direction * options_.units, options_.units,
                      outputs->at(1).data<float>() + (place * sizes.rows + row) * options_.units);
        const float* cells = kept + 4 * sizes.steps * sizes.states();
        std::copy_n(cells + end * sizes.states(), sizes.states(),
                    outputs->at(2).data<float>() + place * sizes.states());
      }
      values = out;
      if (options_.dropout && !last) {
        values = sizes.between(kept_.at, number, DROPPED);
        drop(out, sizes.outputs(), resources, sizes.between(kept_.at, number, MASK),
             sizes.between(kept_.at, number, DROPPED));
      }
    }
    pool().give(space);
    return MX_SUCCESS;
  }

  // Inputs: the gradients of the outputs, then inputs and outputs. Outputs: the gradients of the inputs.
  MXReturnValue Backward(std::vector<MXTensor>* inputs, std::vector<MXTensor>* outputs, const OpResource&) override {
    if (!kept_.at) return MX_FAIL;
    const MXTensor& data = inputs->at(3);
    const Sizes sizes(options_, data);
    const int64_t space_size = std::max(sizes.layer(0).space_back(), sizes.layer(1).space_back());
    const Pool::Block space = pool().take(space_size + 2 * sizes.outputs());
    const float* of_outputs = inputs->at(0).data<float>();
    for (int place = 0; place < 2; ++place)
      std::copy_n(inputs->at(1 + place).data<float>(), options_.layers * options_.directions * sizes.states(),
                  outputs->at(2 + place).data<float>());
    for (int64_t number = options_.layers - 1; number >= 0; --number) {
      const bool last = number + 1 == options_.layers;
      const float* out = last ? inputs->at(7).data<float>() : sizes.between(kept_.at, number);
      const float* values = sizes.between(kept_.at, number - 1, options_.dropout ? DROPPED : OUTPUTS);
      const lstm::Read read = sizes.read(number, data, sizes.ids_in(kept_.at), values);
      float* of_values = space.at + space_size + number % 2 * sizes.outputs();
      if (!number) of_values = options_.vocabulary ? nullptr : outputs->at(0).data<float>();
      for (int64_t direction = 0; direction < options_.directions; ++direction) {
        const int64_t place = number * options_.directions + direction;
        const lstm::Layer layer = sizes.layer(number, direction);
        const int64_t shift = direction * options_.units;
        lstm::backward(layer, read, weights<const float>(sizes, number, direction, inputs->at(4)),
                       states(sizes, place, inputs->at(5), inputs->at(6)), out + shift,
                       kept_.at + place * layer.kept_size(), of_outputs + shift,
                       weights<float>(sizes, number, direction, outputs->at(1)),
                       outputs->at(2).data<float>() + place * sizes.states(),
                       outputs->at(3).data<float>() + place * sizes.states(), of_values, direction > 0, space.at);
      }
      if (options_.dropout && number) {
        const float* mask = sizes.between(kept_.at, number - 1, MASK);
        for (int64_t j = 0; j < sizes.outputs(); ++j) of_values[j] *= mask[j];
      }
      of_outputs = of_values;
    }
    pool().give(space);
    pool().give(kept_);
    kept_ = Pool::Block();
    return MX_SUCCESS;
  }

 private:
  enum Part { OUTPUTS, MASK, DROPPED };  // what is kept between two layers; the last two with dropout alone

  struct Sizes {
    const Options& options;
    int64_t steps, rows, ids_per_row, read_width;

    Sizes(const Options& options, const MXTensor& data) : options(options) {
      steps = options.repeats ? options.repeats : data.shape[0];
      rows = data.shape[1];
      ids_per_row = data.shape.size() > 2 ? data.shape[2] : 1;
      read_width = ids_per_row * std::max<int64_t>(1, options.vocabulary);
    }

    int64_t states() const { return rows * options.units; }
    int64_t outputs() const { return steps * options.directions * states(); }
    int64_t ids_size() const { return options.vocabulary ? (options.repeats ? 1 : steps) * rows * ids_per_row : 0; }
    int64_t parts() const { return options.dropout ? 3 : 1; }

    // What is kept: of each layer and direction, then what is between the layers, then the ids.
    int64_t before_ids() const {
      const int64_t of_layers = options.layers * options.directions * layer(0).kept_size();
      return of_layers + (options.layers - 1) * parts() * outputs();
    }
    size_t kept() const { return before_ids() + ids_size(); }
    int32_t* ids_in(float* kept) const { return reinterpret_cast<int32_t*>(kept + before_ids()); }
    float* between(float* kept, int64_t number, Part part = OUTPUTS) const {
      return kept + before_ids() - ((options.layers - 1 - number) * parts() - part) * outputs();
    }

    lstm::Layer layer(int64_t number, int64_t direction = 0) const {
      return {steps, rows, options.units, options.directions * options.units, direction == 1,
              options.repeats && !number, options.width(number, read_width)};
    }

    lstm::Read read(int64_t number, const MXTensor& data, const int32_t* ids, const float* values) const {
      if (number) return {values, nullptr, 0, 0, options.width(number, read_width)};
      if (options.vocabulary) return {nullptr, ids, ids_per_row, options.vocabulary, read_width};
      return {static_cast<const float*>(data.data_ptr), nullptr, 0, 0, read_width};
    }
  };

  // The weights of a layer's direction, or their gradients, in the vector of all.
  template <class T>
  lstm::WeightsOf<T> weights(const Sizes& sizes, int64_t number, int64_t direction, const MXTensor& vector) const {
    T* at = static_cast<T*>(vector.data_ptr);
    T* bias = at + vector.size() - options_.biases() +
                        (number * options_.directions + direction) * 8 * options_.units;
    for (int64_t before = 0; before < number; ++before)
      at += options_.directions * options_.weights(before, sizes.read_width);
    at += direction * options_.weights(number, sizes.read_width);
    const int64_t width = options_.width(number, sizes.read_width);
    return {at, at + 4 * options_.units * width, bias, bias + 4 * options_.units};
  }

  static lstm::States states(const Sizes& sizes, int64_t place, const MXTensor& hidden, const MXTensor& cell) {
    return {static_cast<const float*>(hidden.data_ptr) + place * sizes.states(),
            static_cast<const float*>(cell.data_ptr) + place * sizes.states()};
  }

  // Dropout, as MXNet's: what is left is divided by the fraction that is left.
  void drop(const float* values, int64_t size, const OpResource& resources, float* mask, float* dropped) const {
    mx_cpu_rand_t& random = resources.get_cpu_rand_states()[0];
    const float left = 1.f - options_.dropout;
    for (int64_t j = 0; j < size; ++j) {
      mask[j] = random() * 0x1p-32f < left ? 1.f / left : 0.f;
      dropped[j] = values[j] * mask[j];
    }
  }

  const Options options_;
  Pool::Block kept_;  // from a forward pass to its backward pass
};

MXReturnValue create(const Attributes& attributes, const MXContext&, const Shapes&, const std::vector<int>,
                     CustomStatefulOp** made) {
  *made = CustomStatefulOp::create<Lstm>(attributes);
  return MX_SUCCESS;
}

REGISTER_OP(seq2seq_lstm)
    .setParseAttrs(parse)
    .setInferType(infer_types)
    .setInferShape(infer_shapes)
    .setCreateOpState(create, "cpu");

}  // namespace

MXReturnValue initialize(int) { return MX_SUCCESS; }
