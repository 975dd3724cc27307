/* Answers a source with a graph in MXNet's format: `predict GRAPH ID ...` prints the ids of the answer. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mxnet/c_predict_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *contents(const char *prefix, const char *suffix, long *size) {
  char path[4096];
  snprintf(path, sizeof path, "%s%s", prefix, suffix);
  FILE *file = fopen(path, "rb");
  if (!file) exit(1);
  fseek(file, 0, SEEK_END);
  *size = ftell(file);
  rewind(file);
  char *bytes = calloc(*size + 1, 1);
  if (fread(bytes, 1, *size, file) != (size_t)*size) exit(1);
  fclose(file);
  return bytes;
}

static void require(int status) {
  if (status) {
    fprintf(stderr, "%s\n", MXGetLastError());
    exit(1);
  }
}

int main(int count, char **arguments) {
  long size;
  const char *symbol = contents(arguments[1], "-symbol.json", &size);
  const char *parameters = contents(arguments[1], "-0000.params", &size);
  const char *inputs[] = {"source"};
  const mx_uint length = count - 2, ends[] = {0, 2}, shape[] = {length, 1}; /* (S, N) */
  PredictorHandle predictor;
  require(MXPredCreate(symbol, parameters, (int)size, 1, 0, 1, inputs, ends, shape, &predictor));

  float *ids = malloc(length * sizeof *ids);
  for (mx_uint i = 0; i < length; i++) ids[i] = atof(arguments[i + 2]);
  require(MXPredSetInput(predictor, "source", ids, length));
  require(MXPredForward(predictor));

  const mx_uint *found; /* (T, N, V) */
  mx_uint axes;
  require(MXPredGetOutputShape(predictor, 0, (mx_uint **)&found, &axes));
  const mx_uint steps = found[0], characters = found[2];
  float *scores = malloc(steps * characters * sizeof *scores);
  require(MXPredGetOutput(predictor, 0, scores, steps * characters));
  for (mx_uint step = 0; step < steps; step++) {
    mx_uint best = 0;
    for (mx_uint i = 1; i < characters; i++)
      if (scores[step * characters + i] > scores[step * characters + best]) best = i;
    printf("%u ", best);
  }
  return MXPredFree(predictor);
}
