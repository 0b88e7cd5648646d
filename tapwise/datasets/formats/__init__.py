"""Containers of foreign data: TFRecord, tf.Example and Android's accessibility forests, without TensorFlow."""
