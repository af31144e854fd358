"Trained forecasters that come with the package: a folder each, made by `synth-miner mode=recipe` or `save_recipe`."
