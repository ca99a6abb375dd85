"""The hot path: jitted kernels that train and run multilayer perceptrons. Arrays in, arrays out; see README.md."""
