"""Memory of GPUs, as the driver of NVIDIA's tells it."""

import ctypes


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


def used_mb(library: str = "libnvidia-ml.so.1") -> float | None:
    """Return the memory in use on all GPUs that the process sees, by whatever process, in 2**20 bytes.

    In a container the driver does not tell which process has how much, so that is not asked. None where there is no
    such driver, or it refuses to tell.

    Args:
        library: NVIDIA's management library (NVML), which comes with the driver.
    """
    try:
        nvml = ctypes.CDLL(library)
        if nvml.nvmlInit_v2():
            return None
    except (OSError, AttributeError):
        return None
    try:
        return _used_by_all(nvml)
    except AttributeError:  # an old driver
        return None
    finally:
        nvml.nvmlShutdown()


def _used_by_all(nvml: ctypes.CDLL) -> float | None:
    count, device, memory, used = ctypes.c_uint(), ctypes.c_void_p(), _Memory(), 0
    if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)):
        return None
    for index in range(count.value):
        if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)):
            return None
        if nvml.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)):
            return None
        used += memory.used
    return used / 2**20
