"""Rows of Fashion-MNIST as NPY and NPZ files, by nothing but Python's library."""
import array
import gzip
import os
import struct
import sys
import zipfile

SIDE = 28


def read(directory, part):
    """The images of a part, "train" or "t10k", as bytes, and the labels."""
    def content(name):
        path = os.path.join(directory, name)
        with open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz") as f:
            return f.read()

    return content(part + "-images-idx3-ubyte")[16:], content(part + "-labels-idx1-ubyte")[8:]


def npy(kind, shape, content):
    """The bytes of an NPY file; kind is NumPy's, such as "|u1"."""
    header = repr({"descr": kind, "fortran_order": False, "shape": tuple(shape)})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def floats(pixels):
    """Pixels as little-endian float32 from 0 to 1."""
    scaled = [struct.unpack("<f", struct.pack("<f", p / 255))[0] for p in range(256)]
    values = array.array("f", map(scaled.__getitem__, pixels))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def write(path, kind, shape, content):
    with open(path, "wb") as f:
        f.write(npy(kind, shape, content))


def write_npz(path, arrays):
    """arrays are kind, shape and content by name."""
    with zipfile.ZipFile(path, "w") as z:
        for name, a in arrays.items():
            z.writestr(name + ".npy", npy(*a))
