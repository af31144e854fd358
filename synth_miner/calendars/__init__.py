"Dates of scheduled events that come with the package, read by `synth_miner.features.calendar`."
