"""The rules of `nn.rules`, applied to all weights in one pass over them.

`g` is the sum of the gradients over the samples. It is rounded to the type of the weights first.
"""

from nn import rules
from nn.compiled.compiler import compiled
from nn.compiled.elementwise import inline

_sgd, _momentum, _nesterov = inline(rules.sgd), inline(rules.momentum), inline(rules.nesterov)
_adam, _average = inline(rules.adam), inline(rules.average)


@compiled("W[::1], T[::1], W, W")
def sgd(w, g, step, shrink):
    """Plain gradient descent."""
    for k in range(len(w)):
        w[k] = _sgd(w[k], w.dtype.type(g[k]), step, shrink)


@compiled("W[::1], T[::1], W[::1], W, W, W, W")
def momentum(w, g, v, mu, step, penalty, shrink):
    """Gradient descent with momentum."""
    for k in range(len(w)):
        w[k], v[k] = _momentum(w[k], w.dtype.type(g[k]), v[k], mu, step, penalty, shrink)


@compiled("W[::1], T[::1], W[::1], W, W, W, W, W")
def nesterov(w, g, v, mu, one_plus_mu, step, penalty, shrink):
    """Gradient descent with Nesterov's momentum."""
    for k in range(len(w)):
        w[k], v[k] = _nesterov(
            w[k], w.dtype.type(g[k]), v[k], mu, one_plus_mu, step, penalty, shrink
        )


@compiled("W[::1], T[::1], W[::1], W[::1], W, W, W, W, W, W, W")
def adam(w, g, v, q, one_over_m, l2, beta1, beta2, epsilon, factor, shrink):
    """Adam."""
    for k in range(len(w)):
        gradient = w.dtype.type(g[k])
        w[k], v[k], q[k] = _adam(
            w[k], gradient, v[k], q[k], one_over_m, l2, beta1, beta2, epsilon, factor, shrink
        )


@compiled("W[::1], W[::1], W")
def average(mean, w, share):
    """Exponential moving average."""
    for k in range(len(mean)):
        mean[k] = _average(mean[k], w[k], share)
