def from_setting(v):
    return None
