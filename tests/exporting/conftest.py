from importlib.util import find_spec

if not (find_spec("onnx") and find_spec("onnxruntime")):  # of the extra `onnx`, which `test` includes
    collect_ignore_glob = ["test_*.py"]
