# docker build -t seq2seq . && docker run --rm -v runs:/runs seq2seq train --epochs 100
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libquadmath0 libgomp1 && rm -rf /var/lib/apt/lists/*
COPY . /source
RUN pip install --no-cache-dir '/source[plot,onnx]' && rm -r /source
RUN useradd --create-home seq2seq && install -d -o seq2seq /runs
USER seq2seq
VOLUME /runs
ENTRYPOINT ["seq2seq"]
