"""SOAP: Adam in the slowly turning eigenbasis of Shampoo's preconditioners (Vyas et al. 2024, arXiv 2409.11321).

A kernel OIHW is seen as the matrix [O, I H W]. Its gradients G have the second moments L = mean of G G^T and R = mean of G^T G;
Adam's second moment is kept, and its step taken, in the coordinates of their eigenvectors. Vectors get plain Adam.
"""
import torch


class Soap(torch.optim.Optimizer):
    """`shampoo`: how slowly L and R follow; `every`: steps between two turns of the basis."""

    def __init__(self, parameters, lr, betas=(0.95, 0.98), shampoo=0.95, every=20, eps=1e-8):
        super().__init__(parameters, {"lr": lr, "betas": betas, "shampoo": shampoo, "every": every, "eps": eps})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                self._move(p, group, self.state[p])

    def _move(self, p, group, state):
        gradient = p.grad.flatten(1) if p.ndim > 1 else p.grad
        if not state:
            state.update(steps=0, mean=torch.zeros_like(gradient), square=torch.zeros_like(gradient))
            if p.ndim > 1:
                state.update(left=gradient @ gradient.T, right=gradient.T @ gradient)
                for side in ("left", "right"):
                    state[side + "_basis"] = torch.linalg.eigh(state[side])[1]
                return  # as in the paper: the first gradient only gives the basis
        state["steps"] += 1
        first, second = group["betas"]
        state["mean"].lerp_(gradient, 1 - first)
        rotated = self._turned(gradient, state)
        state["square"].mul_(second).addcmul_(rotated, rotated, value=1 - second)
        mean = self._turned(state["mean"], state) / (1 - first ** state["steps"])
        spread = (state["square"] / (1 - second ** state["steps"])).sqrt() + group["eps"]
        p.add_(self._turned_back(mean / spread, state).view_as(p), alpha=-group["lr"])
        if p.ndim > 1:
            state["left"].lerp_(gradient @ gradient.T, 1 - group["shampoo"])
            state["right"].lerp_(gradient.T @ gradient, 1 - group["shampoo"])
            if state["steps"] % group["every"] == 0:
                self._turn_basis(state)

    @staticmethod
    def _turned(matrix, state):
        return state["left_basis"].T @ matrix @ state["right_basis"] if "left" in state else matrix

    @staticmethod
    def _turned_back(matrix, state):
        return state["left_basis"] @ matrix @ state["right_basis"].T if "left" in state else matrix

    @staticmethod
    def _turn_basis(state):
        """One step of orthogonal iteration from the old basis, by falling eigenvalues; `square` goes with its vectors."""
        for axis, side in enumerate(("left", "right")):
            matrix, basis = state[side], state[side + "_basis"]
            order = (basis * (matrix @ basis)).sum(0).argsort(descending=True)
            state["square"] = state["square"].index_select(axis, order)
            state[side + "_basis"] = torch.linalg.qr(matrix @ basis[:, order])[0]
