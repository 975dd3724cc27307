// The arithmetic of an LSTM layer: products of small matrices, and the gates.
//
// MXNet's own operator lays out the weights anew and sets up its primitives in every call, and multiplies ids as one-hot
// vectors. Here a product is computed in tiles of ROWS x PANEL that stay in the registers; one of its matrices is packed
// into panels of PANEL columns before. Vectors are GCC's, so that the compiler chooses the instructions of this machine.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace lstm {

#if defined(__AVX512F__)
constexpr int WIDTH = 16;  // floats of a vector
constexpr int ROWS = 8;    // rows of a tile
#elif defined(__AVX__)
constexpr int WIDTH = 8;
constexpr int ROWS = 6;
#else
constexpr int WIDTH = 4;
constexpr int ROWS = 6;
#endif
constexpr int VECTORS = 2;              // vectors in a row of a tile
constexpr int PANEL = VECTORS * WIDTH;  // columns of a tile
constexpr int DEPTH = 256;              // terms added up in one go, so that a panel stays in the first-level cache
constexpr int64_t NEAR = 1 << 19;       // bytes that stay in the second-level cache

typedef float Vec __attribute__((vector_size(4 * WIDTH)));
typedef float One __attribute__((vector_size(4)));  // for the units that do not fill a vector

template <class V>
inline V load(const float* from) {
  V values;
  memcpy(&values, from, sizeof values);
  return values;
}

template <class V>
inline void store(float* to, V values) {
  memcpy(to, &values, sizeof values);
}

// Matrices. Each is stored row after row, `stride` floats apart. -------------------------------------------------------

inline int64_t packed_size(int64_t rows, int64_t columns) { return rows * ((columns + PANEL - 1) / PANEL) * PANEL; }

// Pack a matrix (rows, columns) into panels; the last panel is filled up with zeros.
inline void pack(const float* from, int64_t stride, int64_t rows, int64_t columns, float* to) {
  for (int64_t j = 0; j < columns; j += PANEL) {
    const int64_t width = std::min<int64_t>(PANEL, columns - j);
    for (int64_t k = 0; k < rows; ++k, to += PANEL) {
      memcpy(to, from + k * stride + j, 4 * width);
      std::fill(to + width, to + PANEL, 0.f);
    }
  }
}

// Pack the transpose (columns, rows) of a matrix (rows, columns) into panels.
inline void pack_transpose(const float* from, int64_t rows, int64_t columns, float* to) {
  constexpr int64_t BLOCK = 16;
  for (int64_t j = 0; j < rows; j += PANEL, to += columns * PANEL) {
    const int64_t width = std::min<int64_t>(PANEL, rows - j);
    for (int64_t k = 0; k < columns; k += BLOCK) {
      const int64_t end = std::min(columns, k + BLOCK);
      for (int64_t c = 0; c < width; ++c)
        for (int64_t l = k; l < end; ++l) to[l * PANEL + c] = from[(j + c) * columns + l];
      for (int64_t l = k; l < end; ++l) std::fill(to + l * PANEL + width, to + (l + 1) * PANEL, 0.f);
    }
  }
}

// The transpose (columns, rows) of a matrix (rows, columns).
inline void transpose(const float* from, int64_t rows, int64_t columns, float* to) {
  constexpr int64_t BLOCK = 16;
  for (int64_t j = 0; j < rows; j += BLOCK)
    for (int64_t k = 0; k < columns; ++k)
      for (int64_t r = j; r < std::min(rows, j + BLOCK); ++r) to[k * rows + r] = from[r * columns + k];
}

// One tile of a product. Element (i, k) of the left matrix is at left[i * by_row + k * by_term].
template <int M, int V>
inline void tile(bool add, const float* left, int64_t by_row, int64_t by_term, const float* panel, int64_t depth,
                 float* out, int64_t stride, int64_t width) {
  Vec sums[M][V];
  for (int i = 0; i < M; ++i)
    for (int v = 0; v < V; ++v) sums[i][v] = Vec{};
  for (int64_t k = 0; k < depth; ++k) {
    Vec right[V];
    for (int v = 0; v < V; ++v) right[v] = load<Vec>(panel + k * PANEL + v * WIDTH);
#pragma GCC unroll 8
    for (int i = 0; i < M; ++i) {
      const float value = left[i * by_row + k * by_term];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sums[i][v] += value * right[v];
    }
  }
  for (int i = 0; i < M; ++i, out += stride) {
    float row[V * WIDTH];
    float* to = width == V * WIDTH ? out : row;
    if (add && to == row) memcpy(row, out, 4 * width);
    for (int v = 0; v < V; ++v) store(to + v * WIDTH, add ? load<Vec>(to + v * WIDTH) + sums[i][v] : sums[i][v]);
    if (to == row) memcpy(out, row, 4 * width);
  }
}

template <int V>
inline void tile_of(int64_t rows, bool add, const float* left, int64_t by_row, int64_t by_term, const float* panel,
                    int64_t depth, float* out, int64_t stride, int64_t width) {
  switch (rows) {
    case 1: return tile<1, V>(add, left, by_row, by_term, panel, depth, out, stride, width);
    case 2: return tile<2, V>(add, left, by_row, by_term, panel, depth, out, stride, width);
    case 3: return tile<3, V>(add, left, by_row, by_term, panel, depth, out, stride, width);
    case 4: return tile<4, V>(add, left, by_row, by_term, panel, depth, out, stride, width);
    case 5: return tile<5, V>(add, left, by_row, by_term, panel, depth, out, stride, width);
    case 6: return tile<6, V>(add, left, by_row, by_term, panel, depth, out, stride, width);
    case 7: return tile<7, V>(add, left, by_row, by_term, panel, depth, out, stride, width);
    default: return tile<8, V>(add, left, by_row, by_term, panel, depth, out, stride, width);
  }
}

// A tile of at most ROWS rows and PANEL columns.
inline void block(int64_t rows, bool add, const float* left, int64_t by_row, int64_t by_term, const float* panel,
                  int64_t depth, float* out, int64_t stride, int64_t width) {
  if (width <= WIDTH)
    tile_of<1>(rows, add, left, by_row, by_term, panel, depth, out, stride, width);
  else
    tile_of<VECTORS>(rows, add, left, by_row, by_term, panel, depth, out, stride, width);
}

// out (rows, columns) = left (rows, depth) times right (depth, columns), which is packed; or add the product to out.
inline void multiply(bool add, int64_t rows, int64_t columns, int64_t depth, const float* left, int64_t left_stride,
                     const float* right, float* out, int64_t stride) {
  for (int64_t k = 0; k < depth; k += DEPTH)
    for (int64_t j = 0; j < columns; j += PANEL)
      for (int64_t i = 0; i < rows; i += ROWS)
        block(std::min<int64_t>(ROWS, rows - i), add || k, left + i * left_stride + k, left_stride, 1,
              right + j * depth + k * PANEL, std::min<int64_t>(DEPTH, depth - k), out + i * stride + j, stride,
              std::min<int64_t>(PANEL, columns - j));
}

// out (rows, columns) = the transpose of left (depth, rows) times right (depth, columns), which is packed; or add it.
inline void multiply_transpose(bool add, int64_t rows, int64_t columns, int64_t depth, const float* left,
                               const float* right, float* out) {
  float copied[DEPTH * ROWS];
  const bool copy = columns > 128;  // if many panels read the same part of the left matrix, it is copied first
  for (int64_t k = 0; k < depth; k += DEPTH) {
    const int64_t terms = std::min<int64_t>(DEPTH, depth - k);
    for (int64_t i = 0; i < rows; i += ROWS) {
      const int64_t n = std::min<int64_t>(ROWS, rows - i);
      const float* part = left + k * rows + i;
      if (copy)
        for (int64_t l = 0; l < terms; ++l) memcpy(copied + l * ROWS, part + l * rows, n == ROWS ? 4 * ROWS : 4 * n);
      for (int64_t j = 0; j < columns; j += PANEL)
        block(n, add || k, copy ? copied : part, 1, copy ? ROWS : rows, right + j * depth + k * PANEL, terms,
              out + i * columns + j, columns, std::min<int64_t>(PANEL, columns - j));
    }
  }
}

// Gates ----------------------------------------------------------------------------------------------------------------

// The polynomials of expf and tanhf in Cephes (Moshier 1989).
template <class V>
inline V exponential(V x) {
  typedef decltype(x < x) Int;
  x = x > 88.f ? V{} + 88.f : x;
  x = x < -87.f ? V{} - 87.f : x;
  const V n = (x * 1.44269504f + 12582912.f) - 12582912.f;  // rounded, for 12582912 is 1.5 * 2^23
  const V r = x - n * 0.693359375f + n * 2.12194440e-4f;
  V p = V{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  const Int power = (__builtin_convertvector(n, Int) + 127) << 23;
  return p * reinterpret_cast<V>(power);
}

template <class V>
inline V sigmoid(V x) {
  return 1.f / (1.f + exponential(-x));
}

template <class V>
inline V tangent(V x) {
  const V square = x * x;
  V p = V{} - 5.70498872745e-3f;
  p = p * square + 2.06390887954e-2f;
  p = p * square - 5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square - 3.33332819422e-1f;
  p = p * square * x + x;
  return square < 0.390625f ? p : 1.f - 2.f / (1.f + exponential(x + x));
}

// One step of one sequence. Of the gates, (4, units), the sums come in and the values go out.
struct Step {
  float* gates;
  const float* cell_before;
  float *cell, *tangent, *hidden;
};

template <class V>
inline void step_at(const Step& at, const float* bias, int64_t units, int64_t j) {
  const auto gate = [&](int k) { return load<V>(at.gates + k * units + j) + load<V>(bias + k * units + j); };
  const V input = sigmoid(gate(0));
  const V forget = sigmoid(gate(1));
  const V candidate = tangent(gate(2));
  const V output = sigmoid(gate(3));
  const V cell = forget * load<V>(at.cell_before + j) + input * candidate;
  const V squashed = tangent(cell);
  store(at.gates + j, input);
  store(at.gates + units + j, forget);
  store(at.gates + 2 * units + j, candidate);
  store(at.gates + 3 * units + j, output);
  store(at.cell + j, cell);
  store(at.tangent + j, squashed);
  store(at.hidden + j, output * squashed);
}

inline void step(const Step& at, const float* bias, int64_t units) {
  int64_t j = 0;
  for (; j + WIDTH <= units; j += WIDTH) step_at<Vec>(at, bias, units, j);
  for (; j < units; ++j) step_at<One>(at, bias, units, j);
}

// The gradients of one step of one sequence. That of the hidden state comes in two parts, from the output of this step
// and from the next step; that of the cell comes in for this step, and goes out for the one before.
struct StepBack {
  const float *gates, *cell_before, *tangent;
  const float *of_output, *of_hidden;
  float *of_cell, *of_gates;
};

template <class V>
inline void step_back_at(const StepBack& at, int64_t units, int64_t j) {
  const V input = load<V>(at.gates + j);
  const V forget = load<V>(at.gates + units + j);
  const V candidate = load<V>(at.gates + 2 * units + j);
  const V output = load<V>(at.gates + 3 * units + j);
  const V squashed = load<V>(at.tangent + j);
  const V of_hidden = load<V>(at.of_output + j) + load<V>(at.of_hidden + j);
  const V of_cell = load<V>(at.of_cell + j) + of_hidden * output * (1.f - squashed * squashed);
  store(at.of_gates + j, of_cell * candidate * input * (1.f - input));
  store(at.of_gates + units + j, of_cell * load<V>(at.cell_before + j) * forget * (1.f - forget));
  store(at.of_gates + 2 * units + j, of_cell * input * (1.f - candidate * candidate));
  store(at.of_gates + 3 * units + j, of_hidden * squashed * output * (1.f - output));
  store(at.of_cell + j, of_cell * forget);
}

inline void step_back(const StepBack& at, int64_t units) {
  int64_t j = 0;
  for (; j + WIDTH <= units; j += WIDTH) step_back_at<Vec>(at, units, j);
  for (; j < units; ++j) step_back_at<One>(at, units, j);
}

// What a layer reads ---------------------------------------------------------------------------------------------------

// Of each of `rows` rows, either `width` numbers, or the ids of one or more characters, each of which stands for a
// one-hot vector of `vocabulary` numbers; other ids stand for zeros. Then `width` is the length of these together.
struct Read {
  const float* numbers;
  const int32_t* ids;
  int64_t ids_per_row, vocabulary, width;
};

// Set sums (rows, columns) to the products of rows from `first` on with the weights: a table (width, columns) for ids,
// packed panels for numbers.
inline void read(const Read& from, int64_t first, int64_t rows, const float* weights, int64_t columns, float* sums) {
  if (!from.ids)
    return multiply(false, rows, columns, from.width, from.numbers + first * from.width, from.width, weights, sums,
                    columns);
  memset(sums, 0, 4 * rows * columns);
  const int32_t* id = from.ids + first * from.ids_per_row;
  for (int64_t row = 0; row < rows; ++row, sums += columns)
    for (int64_t k = 0; k < from.ids_per_row; ++k, ++id)
      if (*id >= 0 && *id < from.vocabulary) {
        const float* weight = weights + (k * from.vocabulary + *id) * columns;
        for (int64_t j = 0; j < columns; ++j) sums[j] += weight[j];
      }
}

// The gradients of the weights from those of the sums: added to a table for ids; for numbers set, or added to weights
// (columns, width).
inline void read_back(bool add, const Read& from, int64_t first, int64_t rows, const float* of_sums, int64_t columns,
                      float* of_weights, float* space) {
  if (!from.ids) {
    pack(from.numbers + first * from.width, from.width, rows, from.width, space);
    return multiply_transpose(add, columns, from.width, rows, of_sums, space, of_weights);
  }
  const int32_t* id = from.ids + first * from.ids_per_row;
  for (int64_t row = 0; row < rows; ++row, of_sums += columns)
    for (int64_t k = 0; k < from.ids_per_row; ++k, ++id)
      if (*id >= 0 && *id < from.vocabulary) {
        float* weight = of_weights + (k * from.vocabulary + *id) * columns;
        for (int64_t j = 0; j < columns; ++j) weight[j] += of_sums[j];
      }
}

// One direction of a layer ---------------------------------------------------------------------------------------------

struct Layer {
  int64_t steps, rows, units;  // T, N, H
  int64_t stride;              // between the outputs of two rows: H, or 2H if there are two directions
  bool backwards;              // reads the last step first
  bool repeats;                // reads the same N rows at every step
  int64_t width;               // of what it reads

  // Steps whose gates stay in the second-level cache together.
  int64_t steps_at_once() const { return std::max<int64_t>(1, std::min(steps, NEAR / (16 * rows * units))); }

  // Floats that the backward pass needs from the forward pass: gates (T, N, 4H), cells (T, N, H) and their tangents.
  int64_t kept_size() const { return 6 * steps * rows * units; }
  int64_t space() const {
    return packed_size(width, 4 * units) + packed_size(units, 4 * units) + 4 * units + 4 * rows * units;
  }
  int64_t space_back() const {
    const int64_t most = steps_at_once() * rows;
    return packed_size(4 * units, units) + packed_size(4 * units, width) + 4 * most * units + most * units +
           packed_size(most, units) + std::max(packed_size(most, width), 4 * units * width) + 4 * rows * units;
  }
};

template <class T>
struct WeightsOf {
  T *inputs, *states, *inputs_bias, *states_bias;  // (4H, width), (4H, H), (4H), (4H)
};
typedef WeightsOf<const float> Weights;
typedef WeightsOf<float> Gradients;

struct States {
  const float *hidden, *cell;  // before the first step read, (N, H) each
};

// Write outputs (T, N, H), `stride` apart, and what the backward pass needs.
inline void forward(const Layer& layer, const Read& from, const Weights& weights, const States& states, float* outputs,
                    float* kept, float* space) {
  const auto [steps, rows, units, stride, backwards, repeats, width] = layer;
  const int64_t columns = 4 * units;
  float* gates = kept;
  float* cells = gates + steps * rows * columns;
  float* tangents = cells + steps * rows * units;
  float* of_inputs = space;
  float* of_states = of_inputs + packed_size(width, columns);
  float* bias = of_states + packed_size(units, columns);
  float* once = bias + columns;

  pack_transpose(weights.states, columns, units, of_states);
  if (from.ids)
    transpose(weights.inputs, columns, width, of_inputs);
  else
    pack_transpose(weights.inputs, columns, width, of_inputs);
  for (int64_t j = 0; j < columns; ++j) bias[j] = weights.inputs_bias[j] + weights.states_bias[j];
  if (repeats) read(from, 0, rows, of_inputs, columns, once);

  const float* hidden = states.hidden;
  int64_t hidden_stride = units;
  const float* cell = states.cell;
  const int64_t at_once = layer.steps_at_once();
  for (int64_t done = 0; done < steps; done += at_once) {
    const int64_t n = std::min(at_once, steps - done);
    const int64_t first = backwards ? steps - done - n : done;
    if (!repeats) read(from, first * rows, n * rows, of_inputs, columns, gates + first * rows * columns);
    for (int64_t k = done; k < done + n; ++k) {
      const int64_t t = backwards ? steps - 1 - k : k;
      float* sums = gates + t * rows * columns;
      if (repeats) memcpy(sums, once, 4 * rows * columns);
      multiply(true, rows, columns, units, hidden, hidden_stride, of_states, sums, columns);
      for (int64_t row = t * rows, r = 0; r < rows; ++r, ++row)
        step({gates + row * columns, cell + r * units, cells + row * units, tangents + row * units,
              outputs + row * stride},
             bias, units);
      hidden = outputs + t * rows * stride;
      hidden_stride = stride;
      cell = cells + t * rows * units;
    }
  }
}

// Write the gradients of the weights, and of the states, which on entry hold those of the last states. Those of what the
// layer reads, (T, N, width), are written, or added, or if it is null left out.
inline void backward(const Layer& layer, const Read& from, const Weights& weights, const States& states,
                     const float* outputs, const float* kept, const float* of_outputs, const Gradients& of,
                     float* of_hidden, float* of_cell, float* of_numbers, bool add, float* space) {
  const auto [steps, rows, units, stride, backwards, repeats, width] = layer;
  const int64_t columns = 4 * units;
  const int64_t at_once = layer.steps_at_once();
  const int64_t most = at_once * rows;
  const float* gates = kept;
  const float* cells = gates + steps * rows * columns;
  const float* tangents = cells + steps * rows * units;
  float* state_panels = space;
  float* input_panels = state_panels + packed_size(columns, units);
  float* of_gates = input_panels + packed_size(columns, width);
  float* of_sums = of_gates + most * columns;  // of all steps together, if they read the same
  float* before = of_sums + rows * columns;
  float* before_panels = before + most * units;
  float* reading = before_panels + packed_size(most, units);

  pack(weights.states, units, columns, units, state_panels);
  if (of_numbers) pack(weights.inputs, width, columns, width, input_panels);
  float* of_inputs = from.ids ? reading : of.inputs;
  if (from.ids) std::fill_n(of_inputs, columns * width, 0.f);
  std::fill_n(of.states_bias, columns, 0.f);
  if (repeats) std::fill_n(of_sums, rows * columns, 0.f);

  for (int64_t left = steps; left > 0; left -= at_once) {
    const int64_t n = std::min(at_once, left);
    const int64_t first = backwards ? steps - left : left - n;
    for (int64_t k = left - 1; k >= left - n; --k) {
      const int64_t t = backwards ? steps - 1 - k : k;
      const int64_t previous = backwards ? t + 1 : t - 1;
      float* here = of_gates + (t - first) * rows * columns;
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t row = t * rows + r;
        const int64_t row_before = previous * rows + r;
        step_back({gates + row * columns, k ? cells + row_before * units : states.cell + r * units,
                   tangents + row * units, of_outputs + row * stride, of_hidden + r * units, of_cell + r * units,
                   here + r * columns},
                  units);
        memcpy(before + ((t - first) * rows + r) * units,
               k ? outputs + row_before * stride : states.hidden + r * units, 4 * units);
      }
      multiply(false, rows, units, columns, here, columns, state_panels, of_hidden, units);
      if (repeats)
        for (int64_t j = 0; j < rows * columns; ++j) of_sums[j] += here[j];
    }
    pack(before, units, n * rows, units, before_panels);
    multiply_transpose(left < steps, columns, units, n * rows, of_gates, before_panels, of.states);
    for (int64_t r = 0; r < n * rows; ++r)
      for (int64_t j = 0; j < columns; ++j) of.states_bias[j] += of_gates[r * columns + j];
    if (repeats) continue;
    read_back(left < steps, from, first * rows, n * rows, of_gates, columns, of_inputs, reading);
    if (of_numbers)
      multiply(add, n * rows, width, columns, of_gates, columns, input_panels, of_numbers + first * rows * width,
               width);
  }
  if (repeats) {
    read_back(false, from, 0, rows, of_sums, columns, of_inputs, reading);
    if (of_numbers) multiply(add, rows, width, columns, of_sums, columns, input_panels, of_numbers, width);
  }
  if (from.ids) transpose(reading, width, columns, of.inputs);
  std::copy_n(of.states_bias, columns, of.inputs_bias);
}

}  // namespace lstm
