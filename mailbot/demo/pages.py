def lay_out(*a): pass
