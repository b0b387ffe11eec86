"""SOAP: Adam in the slowly turning eigenbasis of Shampoo's preconditioners (Vyas et al. 2024, arXiv 2409.11321).

A kernel OIHW is seen as the matrix [O, I H W]. Its gradients G have the second moments L = mean of G G^T and R = mean of G^T G;
Adam's second moment is kept, and its step taken, in the coordinates of their eigenvectors. Vectors get plain Adam. Parameters of one
shape are moved together, as a stack [B, O, I H W] or [B, O].
"""
import torch


class Soap(torch.optim.Optimizer):
    """`shampoo`: how slowly L and R follow; `every`: steps between two turns of the basis.

    `step` is `prepare`, `move` and `finish`; of these `move` alone can be recorded as a CUDA graph, once it has run.
    """

    def __init__(self, parameters, lr, betas=(0.95, 0.98), shampoo=0.95, every=20, eps=1e-8):
        super().__init__(parameters, {"lr": lr, "betas": betas, "shampoo": shampoo, "every": every, "eps": eps, "gradients": 0})
        self.stacks = []  # (index of the group, parameters of one shape); the state is the first one's
        self.factors = []  # of each group, where the parameters are: rate and the two bias corrections, of kernels and of vectors
        for index, group in enumerate(self.param_groups):
            by_shape = {}
            for p in group["params"]:
                by_shape.setdefault(p.shape, []).append(p)
            self.stacks += [(index, stack) for stack in by_shape.values()]
            self.factors.append(torch.zeros(2, 3, device=group["params"][0].device))

    def step(self):
        self.prepare()
        self.move()
        self.finish()

    def prepare(self):
        """Counts the step, and hands over what depends on the count and the rate."""
        for group, factors in zip(self.param_groups, self.factors):
            group["gradients"] += 1
            # As in the paper: a kernel's first gradient only gives the basis.
            counts = max(1, group["gradients"] - 1), group["gradients"]
            rows = [[group["lr"], *(1 - beta ** steps for beta in group["betas"])] for steps in counts]
            factors.copy_(torch.tensor(rows), non_blocking=True)

    @torch.no_grad()
    def move(self):
        for index, stack in self.stacks:
            self._move(stack, self.param_groups[index], self.factors[index], self.state[stack[0]])

    def _move(self, stack, group, factors, state):
        gradient = torch.stack([p.grad for p in stack])
        gradient = gradient.flatten(2) if gradient.ndim > 2 else gradient
        if not state:
            state.update(mean=torch.zeros_like(gradient), square=torch.zeros_like(gradient))
            if gradient.ndim > 2:
                state.update(left=gradient @ gradient.mT, right=gradient.mT @ gradient)
                for side in ("left", "right"):
                    state[side + "_basis"] = torch.linalg.eigh(state[side])[1]
                return
        rate, first_correction, second_correction = factors[0 if gradient.ndim > 2 else 1]
        first, second = group["betas"]
        state["mean"].lerp_(gradient, 1 - first)
        rotated = self._turned(gradient, state)
        state["square"].mul_(second).addcmul_(rotated, rotated, value=1 - second)
        mean = self._turned(state["mean"], state) / first_correction
        spread = (state["square"] / second_correction).sqrt() + group["eps"]
        change = self._turned_back(mean / spread, state) * rate
        torch._foreach_sub_(stack, [c.view_as(p) for c, p in zip(change, stack)])
        if gradient.ndim > 2:
            state["left"].lerp_(gradient @ gradient.mT, 1 - group["shampoo"])
            state["right"].lerp_(gradient.mT @ gradient, 1 - group["shampoo"])

    @torch.no_grad()
    def finish(self):
        """Turns the bases when it is time."""
        for index, stack in self.stacks:
            group, state = self.param_groups[index], self.state[stack[0]]
            steps = group["gradients"] - 1
            if steps and steps % group["every"] == 0 and "left" in state:
                self._turn_basis(state)

    @staticmethod
    def _turned(matrix, state):
        return state["left_basis"].mT @ matrix @ state["right_basis"] if "left" in state else matrix

    @staticmethod
    def _turned_back(matrix, state):
        return state["left_basis"] @ matrix @ state["right_basis"].mT if "left" in state else matrix

    @staticmethod
    def _turn_basis(state):
        """One step of orthogonal iteration from the old basis, by falling eigenvalues; `square` goes with its vectors."""
        for side in ("left", "right"):
            matrix, basis = state[side], state[side + "_basis"]
            order = (basis * (matrix @ basis)).sum(-2).argsort(descending=True)
            along = order[:, :, None] if side == "left" else order[:, None, :]
            state["square"].copy_(state["square"].gather(1 if side == "left" else 2, along.expand_as(state["square"])))
            basis = basis.gather(2, order[:, None, :].expand_as(basis))
            state[side + "_basis"].copy_(torch.linalg.qr(matrix @ basis)[0])
