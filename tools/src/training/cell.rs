//! One time step of an LSTM or GRU, forward and backward, element by element; the matrix products lie in `layer`.
//!
//! Each function exists twice: in burn's operations, which run on every device, and fused over slices for the CPU,
//! where some twenty passes over memory a step would otherwise cost as much as the products. Tests hold the two, and
//! burn's automatic differentiation, against each other.

use burn::tensor::{Tensor, activation};

use super::config::Cell;

/// What the backward pass needs of a step.
pub struct Saved {
    /// Activated gates, `[batch, gates * units]`.
    gates: Tensor<2>,
    /// LSTM: the cell state before the step; GRU: the hidden state before it. `[batch, units]`.
    previous: Tensor<2>,
    /// LSTM: tanh of the cell state; GRU: the recurrent product of gate n. `[batch, units]`.
    extra: Tensor<2>,
}

/// What a step gives.
pub struct Forward {
    /// The hidden state.
    pub h: Tensor<2>,
    /// The cell state of an LSTM; of a GRU the hidden state again.
    pub c: Tensor<2>,
    /// For the backward pass.
    pub saved: Saved,
}

/// Gradients of a step.
pub struct Backward {
    /// Of the input product, `[batch, gates * units]`.
    pub x: Tensor<2>,
    /// Of the recurrent product, `[batch, gates * units]`.
    pub h: Tensor<2>,
    /// LSTM: of the cell state before the step. GRU: of the hidden state before it, but for the recurrent product.
    pub carry: Tensor<2>,
}

impl Cell {
    /// A step from the input product `x` and the recurrent product `h`, both `[batch, gates * units]` and with their
    /// biases, and from the state before: the cell state of an LSTM, the hidden state of a GRU.
    pub fn forward(self, x: Tensor<2>, h: Tensor<2>, previous: Tensor<2>, fused: bool) -> Forward {
        match (self, fused) {
            (Cell::Lstm, true) => fused::lstm_forward(x, h, previous),
            (Cell::Lstm, false) => lstm_forward(x, h, previous),
            (Cell::Gru, true) => fused::gru_forward(x, h, previous),
            (Cell::Gru, false) => gru_forward(x, h, previous),
        }
    }

    /// Gradients from those of the hidden state `dh` and of what the next step carried back.
    pub fn backward(self, saved: Saved, dh: Tensor<2>, carry: Tensor<2>, fused: bool) -> Backward {
        match (self, fused) {
            (Cell::Lstm, true) => fused::lstm_backward(saved, dh, carry),
            (Cell::Lstm, false) => lstm_backward(saved, dh, carry),
            (Cell::Gru, true) => fused::gru_backward(saved, dh, carry),
            (Cell::Gru, false) => gru_backward(saved, dh, carry),
        }
    }
}

/// The columns of gate `index`.
fn gate(gates: &Tensor<2>, index: usize, units: usize) -> Tensor<2> {
    gates.clone().narrow(1, index * units, units)
}

/// `1 - x`.
fn complement(x: Tensor<2>) -> Tensor<2> {
    x.neg().add_scalar(1.0)
}

fn lstm_forward(x: Tensor<2>, h: Tensor<2>, previous: Tensor<2>) -> Forward {
    let units = previous.dims()[1];
    let sum = x + h;
    let input_forget = activation::sigmoid(sum.clone().narrow(1, 0, 2 * units));
    let candidate = gate(&sum, 2, units).tanh();
    let output = activation::sigmoid(gate(&sum, 3, units));
    let c = gate(&input_forget, 1, units) * previous.clone() + gate(&input_forget, 0, units) * candidate.clone();
    let extra = c.clone().tanh();
    let h = output.clone() * extra.clone();
    let gates = Tensor::cat(vec![input_forget, candidate, output], 1);
    Forward { h, c, saved: Saved { gates, previous, extra } }
}

fn lstm_backward(Saved { gates, previous, extra }: Saved, dh: Tensor<2>, carry: Tensor<2>) -> Backward {
    let units = previous.dims()[1];
    let [i, f, g, o] = [0, 1, 2, 3].map(|index| gate(&gates, index, units));
    let dc = carry + dh.clone() * o.clone() * complement(extra.clone() * extra.clone());
    let di = dc.clone() * g.clone() * i.clone() * complement(i.clone());
    let df = dc.clone() * previous * f.clone() * complement(f.clone());
    let dg = dc.clone() * i * complement(g.clone() * g);
    let d_o = dh * extra * o.clone() * complement(o);
    let x = Tensor::cat(vec![di, df, dg, d_o], 1);
    Backward { h: x.clone(), x, carry: dc * f }
}

fn gru_forward(x: Tensor<2>, h: Tensor<2>, previous: Tensor<2>) -> Forward {
    let units = previous.dims()[1];
    let reset_update = activation::sigmoid(x.clone().narrow(1, 0, 2 * units) + h.clone().narrow(1, 0, 2 * units));
    let extra = gate(&h, 2, units);
    let n = (gate(&x, 2, units) + gate(&reset_update, 0, units) * extra.clone()).tanh();
    let z = gate(&reset_update, 1, units);
    let h = complement(z.clone()) * n.clone() + z * previous.clone();
    let gates = Tensor::cat(vec![reset_update, n], 1);
    Forward { c: h.clone(), h, saved: Saved { gates, previous, extra } }
}

fn gru_backward(Saved { gates, previous, extra }: Saved, dh: Tensor<2>, carry: Tensor<2>) -> Backward {
    let units = previous.dims()[1];
    let [r, z, n] = [0, 1, 2].map(|index| gate(&gates, index, units));
    let dh = dh + carry;
    let dn = dh.clone() * complement(z.clone()) * complement(n.clone() * n.clone());
    let dz = dh.clone() * (previous - n) * z.clone() * complement(z.clone());
    let dr = dn.clone() * extra * r.clone() * complement(r.clone());
    let x = Tensor::cat(vec![dr.clone(), dz.clone(), dn.clone()], 1);
    let h = Tensor::cat(vec![dr, dz, dn * r], 1);
    Backward { x, h, carry: dh * z }
}

/// The same over slices.
mod fused {
    use super::*;
    use crate::training::slices::{give, sigmoid, take, tanh};

    /// Splits a row into its gates.
    fn split<const GATES: usize>(row: &mut [f32], units: usize) -> [&mut [f32]; GATES] {
        let mut gates = row.chunks_exact_mut(units);
        std::array::from_fn(|_| gates.next().expect("a row has all gates"))
    }

    pub fn lstm_forward(x: Tensor<2>, h: Tensor<2>, previous: Tensor<2>) -> Forward {
        let ([batch, units], device) = (previous.dims(), previous.device());
        let (x, mut gates, mut c) = (take(x), take(h), take(previous.clone()));
        let mut tanh_c = vec![0.0; batch * units];
        let mut out = vec![0.0; batch * units];
        for row in 0..batch {
            let wide = row * 4 * units..(row + 1) * 4 * units;
            let narrow = row * units..(row + 1) * units;
            for (gate, x) in gates[wide.clone()].iter_mut().zip(&x[wide.clone()]) {
                *gate += x;
            }
            let [i, f, g, o] = split::<4>(&mut gates[wide], units);
            sigmoid(i);
            sigmoid(f);
            tanh(g);
            sigmoid(o);
            let (c, tanh_c) = (&mut c[narrow.clone()], &mut tanh_c[narrow.clone()]);
            for j in 0..units {
                c[j] = f[j] * c[j] + i[j] * g[j];
            }
            tanh_c.copy_from_slice(c);
            tanh(tanh_c);
            for ((out, o), tanh_c) in out[narrow].iter_mut().zip(o).zip(tanh_c) {
                *out = *o * *tanh_c;
            }
        }
        let saved = Saved {
            gates: give(gates, [batch, 4 * units], &device),
            extra: give(tanh_c, [batch, units], &device),
            previous: previous.clone(),
        };
        Forward { h: give(out, [batch, units], &device), c: give(c, [batch, units], &device), saved }
    }

    pub fn lstm_backward(saved: Saved, dh: Tensor<2>, carry: Tensor<2>) -> Backward {
        let [batch, units] = saved.previous.dims();
        let device = dh.device();
        let (mut gates, previous, tanh_c) = (take(saved.gates), take(saved.previous), take(saved.extra));
        let (dh, mut carry) = (take(dh), take(carry));
        for row in 0..batch {
            let narrow = row * units..(row + 1) * units;
            let [i, f, g, o] = split::<4>(&mut gates[row * 4 * units..(row + 1) * 4 * units], units);
            let (previous, tanh_c, dh) = (&previous[narrow.clone()], &tanh_c[narrow.clone()], &dh[narrow.clone()]);
            let carry = &mut carry[narrow];
            for j in 0..units {
                let dc = carry[j] + dh[j] * o[j] * (1.0 - tanh_c[j] * tanh_c[j]);
                carry[j] = dc * f[j];
                let di = dc * g[j] * i[j] * (1.0 - i[j]);
                let dg = dc * i[j] * (1.0 - g[j] * g[j]);
                f[j] = dc * previous[j] * f[j] * (1.0 - f[j]);
                o[j] = dh[j] * tanh_c[j] * o[j] * (1.0 - o[j]);
                (i[j], g[j]) = (di, dg);
            }
        }
        let x = give(gates, [batch, 4 * units], &device);
        Backward { h: x.clone(), x, carry: give(carry, [batch, units], &device) }
    }

    pub fn gru_forward(x: Tensor<2>, h: Tensor<2>, previous: Tensor<2>) -> Forward {
        let ([batch, units], device) = (previous.dims(), previous.device());
        let (x, mut gates, mut state) = (take(x), take(h), take(previous.clone()));
        let mut recurrent = vec![0.0; batch * units];
        for row in 0..batch {
            let wide = row * 3 * units..(row + 1) * 3 * units;
            let narrow = row * units..(row + 1) * units;
            let [r, z, n] = split::<3>(&mut gates[wide.clone()], units);
            let x = &x[wide];
            let recurrent = &mut recurrent[narrow.clone()];
            recurrent.copy_from_slice(n);
            for j in 0..units {
                r[j] += x[j];
                z[j] += x[units + j];
            }
            sigmoid(r);
            sigmoid(z);
            for j in 0..units {
                n[j] = x[2 * units + j] + r[j] * recurrent[j];
            }
            tanh(n);
            for (j, state) in state[narrow].iter_mut().enumerate() {
                *state = (1.0 - z[j]) * n[j] + z[j] * *state;
            }
        }
        let saved = Saved {
            gates: give(gates, [batch, 3 * units], &device),
            extra: give(recurrent, [batch, units], &device),
            previous: previous.clone(),
        };
        let h = give(state, [batch, units], &device);
        Forward { c: h.clone(), h, saved }
    }

    pub fn gru_backward(saved: Saved, dh: Tensor<2>, carry: Tensor<2>) -> Backward {
        let [batch, units] = saved.previous.dims();
        let device = dh.device();
        let (mut gates, previous, recurrent) = (take(saved.gates), take(saved.previous), take(saved.extra));
        let (dh, mut carry) = (take(dh), take(carry));
        let mut products = vec![0.0; gates.len()];
        for row in 0..batch {
            let wide = row * 3 * units..(row + 1) * 3 * units;
            let narrow = row * units..(row + 1) * units;
            let [r, z, n] = split::<3>(&mut gates[wide.clone()], units);
            let [dr, dz, dn] = split::<3>(&mut products[wide], units);
            let (previous, recurrent, dh) =
                (&previous[narrow.clone()], &recurrent[narrow.clone()], &dh[narrow.clone()]);
            let carry = &mut carry[narrow];
            for j in 0..units {
                let total = dh[j] + carry[j];
                carry[j] = total * z[j];
                let d = total * (1.0 - z[j]) * (1.0 - n[j] * n[j]);
                dz[j] = total * (previous[j] - n[j]) * z[j] * (1.0 - z[j]);
                dr[j] = d * recurrent[j] * r[j] * (1.0 - r[j]);
                dn[j] = d * r[j];
                (r[j], z[j], n[j]) = (dr[j], dz[j], d);
            }
        }
        Backward {
            x: give(gates, [batch, 3 * units], &device),
            h: give(products, [batch, 3 * units], &device),
            carry: give(carry, [batch, units], &device),
        }
    }
}
